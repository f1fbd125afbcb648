package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.Names;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * What is said on the channel that every coordinator hears; {@code fragments/wake.lua} says most.
 */
public sealed interface WakeMessage {

  /**
   * Prompts become ready in a bucket.
   *
   * @param number of the bucket's notifications
   * @param delay until they are ready
   */
  record Ready(Bucket bucket, long number, Duration delay) implements WakeMessage {}

  /** A job is being stopped. */
  record Stop(String jobId) implements WakeMessage {

    byte[] toBytes() {
      return (STOP + " " + Names.escape(jobId)).getBytes(StandardCharsets.UTF_8);
    }
  }

  /** No bucket is called so: their ids have a colon. */
  String STOP = "stop";

  /**
   * @throws RuntimeException if it is no such message
   */
  static WakeMessage parse(byte[] message) {
    String[] words = new String(message, StandardCharsets.UTF_8).split(" ");
    return words[0].equals(STOP)
        ? new Stop(Names.unescape(words[1]))
        : new Ready(
            Keys.bucketOf(words[0]),
            Long.parseLong(words[1]),
            Duration.ofMillis(Long.parseLong(words[2])));
  }
}
