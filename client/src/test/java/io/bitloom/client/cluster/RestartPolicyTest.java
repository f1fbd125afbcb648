package io.bitloom.client.cluster;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class RestartPolicyTest {

  @Test
  void aServiceIsStartedSoonAtFirstThenEverLaterAndAtMostHalfAMinute() {
    RestartPolicy policy = RestartPolicy.OF_A_SERVICE;
    Duration first = policy.waitAfter(1);
    Duration fourth = policy.waitAfter(4);

    assertTrue(first.toMillis() > 0 && first.toMillis() < 1000, first.toString());
    assertTrue(fourth.compareTo(first) > 0, first + ", then " + fourth);
    assertTrue(policy.waitAfter(30).compareTo(Duration.ofSeconds(30)) <= 0);
  }
}
