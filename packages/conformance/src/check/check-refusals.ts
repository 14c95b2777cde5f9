import { codeOfStatus, refusalCode } from "@countersign/agent-key/problem";
import type { RefusalsFile } from "../schema/refusals-file.js";
import { nameOf, outcome, type VectorCheck } from "../vector-check.js";

/** The checks of a file of form `countersign.refusals/1`. */
export function checkRefusals(file: RefusalsFile): readonly VectorCheck[] {
  return [
    ...file.answers.map((vector, index) => ({
      name: nameOf("answers", index, vector),
      expected: outcome({ code: String(vector.code) }),
      run: async () => {
        const { www_authenticate: wwwAuthenticate, content_type: contentType, body } = vector;
        const code = await refusalCode({ wwwAuthenticate, contentType }, () => body);
        return outcome({ code: code ?? "null" });
      },
    })),
    ...file.statuses.map((vector, index) => ({
      name: nameOf("statuses", index, vector, vector.status),
      expected: outcome({ code: vector.code }),
      run: () => outcome({ code: codeOfStatus(vector.status) }),
    })),
  ];
}
