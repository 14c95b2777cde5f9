import "reflect-metadata";

export * as common from "@nestjs/common";
export { APP_GUARD, ExternalContextCreator, NestFactory } from "@nestjs/core";
export { ExpressAdapter } from "@nestjs/platform-express";
export { FastifyAdapter } from "@nestjs/platform-fastify";
