package io.bitloom.worker.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class PreviewPaceTest {
  private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 500); // the clock may wrap around
  private final PreviewPace pace = new PreviewPace(now::get);
  private int made;

  private void scaleOf(long nanos, long previewNanos) {
    pace.run(
        () -> {
          made++;
          now.addAndGet(previewNanos);
        });
    now.addAndGet(nanos);
  }

  @Test
  void expensivePreviewsTakeATenthOfTheTime() {
    long start = now.get();
    for (int scale = 0; scale < 1000; scale++) {
      scaleOf(10, 50);
    }
    double share = 50.0 * made / (now.get() - start);
    assertEquals(0.1, share, 0.01);
  }

  @Test
  void cheapPreviewsAreMadeAtEveryScale() {
    for (int scale = 0; scale < 13; scale++) {
      scaleOf(100, 1);
    }
    assertEquals(13, made);
  }

  @Test
  void aPreviewThatFailsCountsAsWell() {
    assertThrows(
        IllegalStateException.class,
        () ->
            pace.run(
                () -> {
                  now.addAndGet(50);
                  throw new IllegalStateException();
                }));
    scaleOf(10, 50);
    assertEquals(0, made);
  }
}
