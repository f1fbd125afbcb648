package io.bitloom.loadtests.queue;

import java.time.Duration;
import java.util.Locale;

/** Processor time of the three parties since a moment. */
final class CpuTime {

  private final long coordinatorPid;
  private final RedisUnderTest redis;
  private final double clients;
  private final double coordinator;
  private final double ofRedis;

  CpuTime(long coordinatorPid, RedisUnderTest redis) throws Exception {
    this.coordinatorPid = coordinatorPid;
    this.redis = redis;
    this.clients = micros(ProcessHandle.current());
    this.coordinator = micros(ProcessHandle.of(coordinatorPid).orElseThrow());
    this.ofRedis = redis.cpuMicros();
  }

  private static double micros(ProcessHandle process) {
    return process.info().totalCpuDuration().orElse(Duration.ZERO).toNanos() / 1e3;
  }

  /** Microseconds on each prompt. */
  record Parts(double client, double coordinator, double redis) {
    @Override
    public String toString() {
      return String.format(Locale.ROOT, "%.1f / %.1f / %.1f", client, coordinator, redis);
    }
  }

  Parts since(long prompts) throws Exception {
    return new Parts(
        (micros(ProcessHandle.current()) - clients) / prompts,
        (micros(ProcessHandle.of(coordinatorPid).orElseThrow()) - coordinator) / prompts,
        (redis.cpuMicros() - ofRedis) / prompts);
  }
}
