import { describe, expect, it } from "vitest";
import { AuthorityClock, type AuthorityExchange } from "./authority-clock.js";

const start = Date.UTC(2026, 2, 23, 12, 0, 0);
// A second after the exchanges.
const local = start + 1000;

function exchange(aheadSeconds: number, at = start, headers = {}): AuthorityExchange {
  const date = new Date(at + aheadSeconds * 1000).toUTCString();
  return { headers: { date, ...headers }, sentAt: at - 100, receivedAt: at + 900 };
}

function clockAt(now: number): AuthorityClock {
  return new AuthorityClock(() => now);
}

const answerNothing = async () => {};

describe("AuthorityClock", () => {
  it("learns nothing without an answer, and asks just once", async () => {
    const clock = clockAt(local);
    let asked = 0;
    const ask = async () => {
      asked += 1;
    };
    expect(await clock.learn("expired", 0, ask)).toBe(false);
    expect(asked).toBe(1);
    expect(clock.now()).toBe(local);
  });

  it("ignores an answer with Age, without Date, or with a Date of another form", async () => {
    const answers: AuthorityExchange[] = [
      exchange(600, start, { age: "3" }),
      { headers: {}, sentAt: start, receivedAt: start },
      exchange(600, start, { date: "2026-03-23T12:10:00Z" }),
      exchange(600, start, { date: ["a", "b"] }),
      exchange(600, start, { date: "Mon, 99 Mar 2026 12:10:00 GMT" }),
    ];
    for (const answer of answers) {
      const clock = clockAt(local);
      clock.observe(answer);
      expect(await clock.learn("expired", 0, answerNothing)).toBe(false);
    }
  });

  it("ignores an offset that contradicts the code (G-I8)", async () => {
    const clock = clockAt(local);
    clock.observe(exchange(600));
    expect(await clock.learn("not_yet_valid", 0, answerNothing)).toBe(false);
    clock.observe(exchange(-600));
    expect(await clock.learn("expired", 0, answerNothing)).toBe(false);
    expect(clock.offsetSeconds).toBe(0);
  });

  it("ignores an offset of 5 s or less, and one of more than 24 h", async () => {
    for (const ahead of [5, 24 * 3600 + 1]) {
      const clock = clockAt(local);
      clock.observe(exchange(ahead));
      expect(await clock.learn("expired", 0, answerNothing)).toBe(false);
    }
    for (const ahead of [6, 24 * 3600]) {
      const clock = clockAt(local);
      clock.observe(exchange(ahead));
      expect(await clock.learn("expired", 0, answerNothing)).toBe(true);
      expect(clock.offsetSeconds).toBe(ahead);
    }
  });

  it("asks when the last answer is older than a minute or of the future", async () => {
    for (const at of [start - 62_000, start + 5000]) {
      const clock = clockAt(local);
      clock.observe(exchange(600, at));
      const ask = async () => clock.observe(exchange(-600));
      expect(await clock.learn("not_yet_valid", 0, ask)).toBe(true);
      expect(clock.now()).toBe(local - 600_000);
    }
  });

  it("learns in both directions, and unlearns when the local clock was put right", async () => {
    const clock = clockAt(local);
    clock.observe(exchange(-3600));
    expect(await clock.learn("not_yet_valid", 0, answerNothing)).toBe(true);
    expect(clock.offsetSeconds).toBe(-3600);
    clock.observe(exchange(1));
    expect(await clock.learn("expired", -3600, answerNothing)).toBe(true);
    expect(clock.offsetSeconds).toBe(0);
  });

  it("learns nothing twice: the second refusal with the right offset is handed up", async () => {
    const clock = clockAt(local);
    clock.observe(exchange(600));
    expect(await clock.learn("expired", 0, answerNothing)).toBe(true);
    expect(await clock.learn("expired", 600, answerNothing)).toBe(false);
  });
});
