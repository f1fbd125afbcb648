package io.bitloom.client.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.v1.GetClusterResponse;
import io.bitloom.v1.Job;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class TopFeedTest {

  private static TopFeed.View view(long ageSeconds) {
    return new TopFeed.View(
        List.of(Job.newBuilder().setDisplayName("foxes").build()),
        GetClusterResponse.getDefaultInstance(),
        System.nanoTime() - TimeUnit.SECONDS.toNanos(ageSeconds));
  }

  @Test
  void aSilentCoordinatorLeavesTheLastViewWithANotice() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    CountDownLatch again = new CountDownLatch(1);
    try (TopFeed feed =
        new TopFeed(
            () -> {
              if (asked.getAndIncrement() == 0) {
                return view(75);
              }
              again.countDown();
              throw new BitloomException(ErrorCode.COORDINATOR_UNAVAILABLE, "away");
            })) {
      again.await();
      List<String> lines = feed.lines(80);
      assertTrue(lines.get(1).startsWith("no answer for 1 min 1"), lines.get(1));
      assertTrue(lines.stream().anyMatch(line -> line.startsWith("foxes")), lines.toString());
    }
  }

  @Test
  void aViewThatIsNewHasNoNotice() throws Exception {
    CountDownLatch asked = new CountDownLatch(2);
    try (TopFeed feed =
        new TopFeed(
            () -> {
              asked.countDown();
              return view(0);
            })) {
      asked.await();
      assertEquals("", feed.lines(80).get(1));
    }
  }

  @Test
  void aRefusalIsNotAskedForAgain() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    try (TopFeed feed =
        new TopFeed(
            () -> {
              asked.incrementAndGet();
              throw new BitloomException(ErrorCode.PERMISSION_DENIED, "not yours");
            })) {
      BitloomException refusal = null;
      while (refusal == null) {
        try {
          feed.lines(80);
          Thread.onSpinWait();
        } catch (BitloomException e) {
          refusal = e;
        }
      }
      assertEquals(ErrorCode.PERMISSION_DENIED, refusal.code());
      assertThrows(BitloomException.class, () -> feed.lines(80));
      assertEquals(1, asked.get());
    }
  }
}
