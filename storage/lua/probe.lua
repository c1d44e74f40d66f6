-- Try whether the server takes scripts that write.
return redis.call('SET', KEYS[1], '1', 'PX', 1000)
