package io.bitloom.engine.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TuningFileTest {
  private final AtomicInteger measured = new AtomicInteger();

  @TempDir private Path folder;

  private TuningFile.Choice measurement() {
    return new TuningFile.Choice("way " + measured.incrementAndGet(), Map.of("way", 1.5));
  }

  private TuningFile file(String processor) {
    return new TuningFile(folder.resolve("cache").resolve("tuning.json"), processor);
  }

  @Test
  void aChoiceIsMadeOnceForAllWhoFindTheFile() {
    TuningFile.Choice first = file("p").choose("shape", this::measurement);
    assertEquals(first, file("p").choose("shape", this::measurement));
    assertEquals("way 2", file("p").choose("another", this::measurement).fastest());
    assertEquals(Set.of("shape", "another"), file("p").choices().keySet());
  }

  @Test
  void thoseWhoAskAtTheSameTimeAgree() {
    List<String> chosen =
        IntStream.range(0, 16)
            .parallel()
            .mapToObj(i -> file("p").choose("shape", this::measurement).fastest())
            .toList();
    assertEquals(1, measured.get());
    assertEquals(Set.of("way 1"), Set.copyOf(chosen));
  }

  @Test
  void anotherProcessorMeasuresAnew() {
    file("p").choose("shape", this::measurement);
    assertEquals("way 2", file("q").choose("shape", this::measurement).fastest());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "{", "null", "[1]", "{\"processor\": \"p\", \"choices\": {\"shape\": {}}}"})
  void aDamagedFileIsWrittenAnew(String content) throws IOException {
    Path damaged = folder.resolve("cache").resolve("tuning.json");
    Files.createDirectories(damaged.getParent());
    Files.writeString(damaged, content);
    assertEquals("way 1", file("p").choose("shape", this::measurement).fastest());
    assertEquals("way 1", file("p").choose("shape", this::measurement).fastest());
  }

  @Test
  void withoutAFileChoicesAreMadeAllTheSame() throws IOException {
    Path inTheWay = Files.writeString(folder.resolve("cache"), "a file, no folder");
    assertEquals("way 1", file("p").choose("shape", this::measurement).fastest());
    assertTrue(Files.isRegularFile(inTheWay));
  }

  @Test
  void eachCandidateRunsInTurnAndOnlyAGainThatIsWorthwhileCounts() {
    List<String> runs = new ArrayList<>();
    Map<String, Runnable> candidates = new LinkedHashMap<>();
    candidates.put("usual", () -> runs.add("usual"));
    candidates.put("other", () -> runs.add("other"));
    TuningFile.Choice choice = TuningFile.Choice.measured("usual", 0, candidates);
    assertEquals("usual", choice.fastest()); // nothing takes less than no time
    assertEquals(Set.of("usual", "other"), choice.milliseconds().keySet());
    assertEquals(List.of("usual", "other"), runs.subList(0, 2));
    assertEquals(3, runs.stream().filter("other"::equals).count());
  }

  @Test
  void theTypeOfThisProcessorIsNotedAndShown() throws IOException {
    DType fastest = Tuning.fastestType();
    assertEquals(fastest, Tuning.fastestType());
    if (!OneDnn.bf16()) {
      assertEquals(DType.F32, fastest);
      return;
    }
    assertTrue(Files.readString(Tuning.file()).contains("type of products"));
    assertTrue(Tuning.lines().stream().anyMatch(line -> line.startsWith("type of products: ")));
  }
}
