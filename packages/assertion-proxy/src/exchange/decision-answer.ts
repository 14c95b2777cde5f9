import { endsWithEarlyAnswer } from "../body/discard-rest.js";
import { REQUEST_ID_FIELD } from "../head/request-origin.js";
import type { Delivery } from "./delivery.js";
import type { RelayInput } from "./relay.js";

/** Answers an admitted request with 200, no content and the fields of its admission, for a gateway that asked whether it may pass. */
export class DecisionAnswer implements Delivery {
  readonly #input: RelayInput;
  readonly #isClosing: () => boolean;

  constructor(input: RelayInput, isClosing: () => boolean) {
    this.#input = input;
    this.#isClosing = isClosing;
  }

  start(): void {
    const { request, response, head, body, admission, requestId } = this.#input;
    // A gateway that got no `100 Continue` may send the body or not, so it is not known where its next request begins.
    const isUnread = head.expectsContinue && !body.isStarted;
    const close = this.#isClosing() || isUnread || endsWithEarlyAnswer(request);
    const fields = ["content-length", "0", "cache-control", "no-store"];
    fields.push(REQUEST_ID_FIELD, requestId);
    if (close) fields.push("connection", "close");
    response.writeHead(200, [...admission.fields, ...fields]);
    response.end();
  }

  // The answer is made in one piece.
  stop(): void {}
}
