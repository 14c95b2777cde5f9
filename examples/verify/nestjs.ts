import "reflect-metadata";
import type { ServerResponse } from "node:http";
import type { AssertionVerifier, VerifiedAssertion } from "@countersign/agent-assertion";
import { agentGuard, agentParameter } from "@countersign/agent-assertion/nestjs";
import { Body, Controller, createParamDecorator, Module, Post } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import type { NestExpressApplication } from "@nestjs/platform-express";

const Agent = createParamDecorator(agentParameter);

@Controller("v1")
class EchoController {
  @Post("echo")
  echo(@Agent() agent: VerifiedAssertion, @Body() body: unknown) {
    return { agent: agent.agentRuntimeId, body };
  }
}

@Module({ controllers: [EchoController] })
class ApiModule {}

export async function createNestApi(verifier: AssertionVerifier): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(ApiModule, { rawBody: true });
  app.use("/healthz", (_: unknown, response: ServerResponse) => response.end("ok\n"));
  app.useGlobalGuards(agentGuard(verifier, { onError: (error) => console.error(error) }));
  return app;
}
