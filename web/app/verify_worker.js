// Checks a proof beside the page: the signatures take a second on a phone.

import { verdict } from "./verifier.js";

self.onmessage = ({ data }) => self.postMessage(verdict(data));
