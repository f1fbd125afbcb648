package io.bitloom.worker.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import io.bitloom.training.data.DrawnPictures;
import io.bitloom.worker.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs that are started again, whatever has happened to their folder. */
class ResumedRunTest {
  @TempDir private Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeEach
  void drawPictures() throws IOException {
    Files.createDirectory(folder.resolve("set"));
    DrawnPictures.write(folder.resolve("set"), 4);
  }

  private int train(String run, int steps, String more) throws IOException {
    Path config =
        Files.writeString(
            folder.resolve("config.yaml"),
            """
            folder: RUN
            steps: STEPS
            threads: 1
            every: {log: 1, checkpoint: 1}
            tokenizer: {codebook_dim: 4, base_ch: 24, ch_mult: [1, 1, 1, 1, 1]}
            data: {path: set, batch_tokens: 300}
            """
                    .replace("RUN", run)
                    .replace("STEPS", Integer.toString(steps))
                + more);
    return Main.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute("worker", "--mode", "train-tokenizer", "--config", config.toString());
  }

  private Path checkpoint(int step) {
    return folder.resolve("run/checkpoints/step-00000000" + step);
  }

  private List<Double> losses(String run) throws IOException {
    return Files.readAllLines(folder.resolve(run + "/metrics.jsonl")).stream()
        .map(line -> JsonParser.parseString(line).getAsJsonObject().get("loss").getAsDouble())
        .toList();
  }

  @Test
  void aRunWhoseStepsAreRaisedGoesOnAfterItsEnd() throws IOException {
    assertEquals(0, train("run", 2, ""), err::toString);
    assertEquals(0, train("run", 4, ""), err::toString);
    assertTrue(out.toString().contains("Going on after step 2 of 4"), out::toString);
    assertEquals(0, train("whole", 4, ""), err::toString);
    assertEquals(losses("whole"), losses("run"));
  }

  private interface Damage {
    void to(Path checkpoint) throws IOException;
  }

  static Stream<Arguments> damages() {
    return Stream.of(
        damage("tokenizer.safetensors", "cut", half("tokenizer.safetensors")),
        damage(
            "tokenizer-ema.safetensors",
            "empty",
            c -> Files.write(c.resolve("tokenizer-ema.safetensors"), empty())),
        damage(
            "optimizer.safetensors", "gone", c -> Files.delete(c.resolve("optimizer.safetensors"))),
        damage("state.json", "cut", half("state.json")),
        damage("state.json", "gone", c -> Files.delete(c.resolve("state.json"))),
        damage(
            "tokenizer.safetensors",
            "of another file",
            c ->
                Files.copy(
                    c.resolve("optimizer.safetensors"),
                    Files.newOutputStream(c.resolve("tokenizer.safetensors")))));
  }

  private static byte[] empty() {
    return new byte[0];
  }

  private static Arguments damage(String file, String what, Damage damage) {
    return Arguments.of(file, what, damage);
  }

  private static Damage half(String name) {
    return checkpoint -> {
      Path file = checkpoint.resolve(name);
      byte[] whole = Files.readAllBytes(file);
      Files.write(file, Arrays.copyOf(whole, whole.length / 2));
    };
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("damages")
  void aDamagedCheckpointIsNamedAndTheOneBeforeIsTaken(String file, String what, Damage damage)
      throws IOException {
    assertEquals(0, train("run", 2, ""), err::toString);
    List<Double> whole = losses("run");
    damage.to(checkpoint(2));
    assertEquals(0, train("run", 2, ""), err::toString);
    assertTrue(
        out.toString().contains("The checkpoint of step 2 is damaged: " + checkpoint(2)),
        out::toString);
    assertTrue(out.toString().contains(file), out::toString);
    assertTrue(out.toString().contains("Going on after step 1 of 2"), out::toString);
    assertEquals(whole, losses("run"));
    assertTrue(Files.isRegularFile(checkpoint(2).resolve("state.json")));
    assertTrue(Files.isDirectory(folder.resolve("run/checkpoints/step-000000002.damaged")));
  }

  @Test
  void whereNoCheckpointIsWholeTheRemedyIsSaid() throws IOException {
    assertEquals(0, train("run", 2, ""), err::toString);
    half("state.json").to(checkpoint(1));
    half("state.json").to(checkpoint(2));
    assertRefused(train("run", 2, ""), "no checkpoint is whole", "delete ");
  }

  @Test
  void twoRunsInOneFolderAreOneTooMany() throws IOException {
    Files.createDirectory(folder.resolve("run"));
    try (FileChannel channel =
            FileChannel.open(
                folder.resolve("run/run.lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        FileLock lock = channel.lock()) {
      assertRefused(train("run", 2, ""), "another process trains here");
    }
  }

  @Test
  void otherSettingsAreNamed() throws IOException {
    assertEquals(0, train("run", 1, ""), err::toString);
    assertRefused(train("run", 1, "optimizer: {learning_rate: 0.5}"), "other settings", "peak=0.5");
  }

  @Test
  void aFolderThatIsAFileIsNamed() throws IOException {
    Files.writeString(folder.resolve("run"), "");
    assertRefused(train("run", 1, ""), "cannot be made");
  }

  private void assertRefused(int exit, String... texts) {
    assertEquals(2, exit, err::toString);
    assertEquals(1, err.toString().lines().count(), err::toString);
    assertTrue(err.toString().startsWith("bitloom: " + folder.resolve("run") + ": "));
    for (String text : texts) {
      assertTrue(err.toString().contains(text), err::toString);
    }
  }
}
