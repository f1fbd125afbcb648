package io.bitloom.coordinator.dispatch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.telemetry.LoopMetrics;
import io.github.resilience4j.retry.Retry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DispatchLoopTest {

  private static final Error FAULT = new NoClassDefFoundError("a fault of this test");

  private final DispatchLoop loop = new DispatchLoop(new LoopMetrics(new SimpleMeterRegistry()));

  @AfterEach
  void end() {
    loop.close();
  }

  private static <T> T await(CompletableFuture<T> future) throws Exception {
    return future.get(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  @Test
  void whoWaitsForAContinuationHearsThatItThrew() throws Exception {
    CompletableFuture<Throwable> heard = new CompletableFuture<>();
    loop.after(
        () -> CompletableFuture.completedStage("value"),
        (value, error) -> {
          throw FAULT;
        },
        heard::complete);
    assertSame(FAULT, await(heard));
  }

  @Test
  void aTaskThatThrowsDoesNotEndTheLoop() throws Exception {
    CompletableFuture<String> next = new CompletableFuture<>();
    loop.execute(
        () -> {
          throw FAULT;
        });
    loop.execute(
        () -> {
          throw new IllegalStateException("another fault");
        },
        thrown -> {
          throw FAULT;
        });
    loop.execute(() -> next.complete(Thread.currentThread().getName()));
    assertEquals("dispatch", await(next));
  }

  @Test
  void tasksRunInTheOrderInWhichTheyCame() throws Exception {
    List<Integer> ran = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      int number = i;
      loop.execute(() -> ran.add(number));
    }
    List<Integer> all = await(loop.ask(() -> List.copyOf(ran)).toCompletableFuture());
    assertEquals(IntStream.range(0, 10_000).boxed().toList(), all);
  }

  @Test
  void aTimerHasItsTurnAmongTasksThatNeverEnd() throws Exception {
    CompletableFuture<Void> turn = new CompletableFuture<>();
    loop.execute(
        new Runnable() {
          @Override
          public void run() {
            if (!turn.isDone()) {
              loop.execute(this);
            }
          }
        });
    loop.schedule(() -> turn.complete(null), Duration.ofMillis(1));
    await(turn);
  }

  @Test
  void aRepeatedTaskThatThrowsIsRepeated() throws Exception {
    CountDownLatch runs = new CountDownLatch(3);
    loop.every(
        Duration.ofMillis(1),
        () -> {
          runs.countDown();
          throw FAULT;
        });
    assertEquals(true, runs.await(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS));
  }

  @Test
  void aCallThatThrowsFails() throws Exception {
    CompletableFuture<Throwable> failed = new CompletableFuture<>();
    loop.after(
        () -> {
          throw FAULT;
        },
        (value, error) -> failed.complete(error));
    assertSame(FAULT, await(failed));
  }

  @Test
  void aRepeatedCallThatThrowsLaterFails() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    CompletableFuture<Throwable> failed = new CompletableFuture<>();
    loop.after(
        () ->
            loop.<String>retrying(
                Retry.ofDefaults("test"),
                () -> {
                  if (calls.incrementAndGet() == 2) {
                    throw FAULT;
                  }
                  return CompletableFuture.failedStage(new IllegalStateException("not yet"));
                }),
        (value, error) -> failed.complete(error));
    assertSame(FAULT, await(failed));
  }

  @Test
  void aQuestionThatThrowsFails() {
    CompletableFuture<String> answer =
        loop.<String>ask(
                () -> {
                  throw FAULT;
                })
            .toCompletableFuture();
    assertSame(FAULT, assertThrows(ExecutionException.class, () -> await(answer)).getCause());
  }

  @Test
  void aQuestionAfterTheEndOfABusyLoopFails() throws Exception {
    CompletableFuture<Void> busy = new CompletableFuture<>();
    CompletableFuture<Void> release = new CompletableFuture<>();
    loop.execute(
        () -> {
          busy.complete(null);
          release.join();
        });
    await(busy);
    loop.close();
    CompletableFuture<String> answer = loop.ask(() -> "too late").toCompletableFuture();
    assertThrows(ExecutionException.class, () -> await(answer));
    release.complete(null);
  }

  @Test
  void aQuestionAfterTheEndFails() {
    loop.close();
    CompletableFuture<String> answer = loop.ask(() -> "too late").toCompletableFuture();
    assertThrows(ExecutionException.class, () -> await(answer));
  }
}
