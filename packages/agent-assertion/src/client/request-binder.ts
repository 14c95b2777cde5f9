import { bindRequestAsync } from "../sign/async/sign-async.js";
import { bindRequest } from "../sign/bind-request.js";

/** Binds requests. A transport that is made without one does not bring its code along. */
export const requestBinder = { bindRequest, bindRequestAsync };

export type RequestBinder = typeof requestBinder;
