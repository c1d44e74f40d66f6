-- Write a short-lived key: fails if the server refuses scripts that write.
return redis.call('SET', KEYS[1], '1', 'PX', 1000)
