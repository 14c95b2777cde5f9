// Preloaded into each server that is measured: it answers, on its parent's request, with what its own process has used. JavaScript, because
// Node's own removal of types would add to the memory that is measured.
if (process.send !== undefined) {
  process.on("message", () => {
    const { user, system } = process.cpuUsage();
    process.send({ cpuMicros: user + system, rssBytes: process.memoryUsage.rss() });
  });
  // A server must not outlive the run, nor run on because of this channel.
  process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
  process.channel.unref();
}
