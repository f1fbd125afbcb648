package io.bitloom.engine.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.LibTorch;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class CpuThreadsTest {
  private static final CpuThreads.Timing NEVER =
      threads -> {
        throw new AssertionError("nothing is to be measured");
      };

  @ParameterizedTest
  @CsvSource({"1, 1", "2, 2", "3, 64", "64, 64"})
  void processorsOfCoresOfTheirOwnAreAllTakenAndNothingIsMeasured(int processors, int cores) {
    assertEquals(processors, CpuThreads.choose(null, processors, cores, NEVER).threads());
  }

  @ParameterizedTest
  @CsvSource({
    "2, 1, 2.0, 1.0, 2", // twice as fast
    "2, 1, 1.12, 1.0, 2",
    "2, 1, 1.09, 1.0, 1", // not clearly
    "8, 4, 1.0, 1.3, 4",
    "6, 4, 1.0, 0.8, 6", // a quota or an affinity that leaves some pairs
  })
  void secondThreadsOfCoresAreTakenOnlyWhereTheyMakeProductsClearlyFaster(
      int processors, int cores, double secondsOfCores, double secondsOfAll, int expected) {
    CpuThreads.Choice choice =
        CpuThreads.choose(
            null,
            processors,
            cores,
            threads -> {
              assertEquals(cores, threads[0]);
              assertEquals(processors, threads[1]);
              return new double[] {secondsOfCores / 1e3, secondsOfAll / 1e3};
            });
    assertEquals(expected, choice.threads());
    assertTrue(choice.toString().contains("ms with " + cores), choice.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"3", " 3 ", "3,2"})
  void theVariableOfOpenMpGoesBeforeAll(String given) {
    assertEquals(3, CpuThreads.choose(given, 8, 4, NEVER).threads());
  }

  @ParameterizedTest
  @NullSource
  @ValueSource(strings = {"", "0", "-1", "many", "1.5", "999999"})
  void aVariableThatIsNoNumberOfThreadsIsNone(String given) {
    assertEquals(4, CpuThreads.choose(given, 4, 4, NEVER).threads());
  }

  @Test
  void whatIsAskedForHolds() {
    assertEquals(5, CpuThreads.choose(5).threads());
  }

  @Test
  void aThreadThatComesLaterComputesWithTheNumberInUse() {
    int before = LibTorch.threads();
    try {
      CpuThreads.use(3);
      assertEquals(3, LibTorch.threads());
      int later = onNewThread(LibTorch::threads);
      assertEquals(3, later);
    } finally {
      LibTorch.threads(before);
    }
  }

  @Test
  void aMeasurementTimesRealProductsAndLeavesTheThreadsAsTheyWere() {
    int before = LibTorch.threads();
    for (double seconds : CpuThreads.time(1, 2)) {
      assertTrue(seconds > 0 && seconds < Double.MAX_VALUE, "" + seconds);
    }
    assertEquals(before, LibTorch.threads());
  }

  private static <T> T onNewThread(Supplier<T> task) {
    return CompletableFuture.supplyAsync(task, run -> new Thread(run).start()).join();
  }
}
