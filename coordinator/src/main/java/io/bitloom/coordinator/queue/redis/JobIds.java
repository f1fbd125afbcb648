package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.queue.Names;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Arrays;

/** Names of jobs: 25 digits and small letters, 128 bits. */
final class JobIds {

  private static final SecureRandom RANDOM = new SecureRandom();

  private JobIds() {}

  static String random() {
    byte[] bits = new byte[16];
    RANDOM.nextBytes(bits);
    return text(bits);
  }

  /**
   * The name for a request id of a tenant: always the same, so that a repeated request finds its
   * job without a table of request ids.
   */
  static String of(String tenant, String requestId) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      sha.update(Names.escape(tenant).getBytes(StandardCharsets.UTF_8));
      sha.update((byte) ':');
      sha.update(requestId.getBytes(StandardCharsets.UTF_8));
      return text(Arrays.copyOf(sha.digest(), 16));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String text(byte[] bits) {
    String digits = new BigInteger(1, bits).toString(36);
    return "0".repeat(25 - digits.length()) + digits;
  }
}
