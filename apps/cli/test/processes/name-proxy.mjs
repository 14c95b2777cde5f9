// For `--import`: names a proxy for plain http, as a program does that reads it from a file of its own.
import http from "node:http";

http.setGlobalProxyFromEnv({ http_proxy: process.env.OWN_PROXY });
