package io.bitloom.worker.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.bitloom.engine.ChildJvm;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.training.data.DrawnPictures;
import io.bitloom.worker.WorkerJvm;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Training by real processes that are killed, stopped, and that train together. */
@Timeout(600)
class TrainingProcessIT {
  @TempDir private Path folder;

  @BeforeEach
  void drawPictures() throws IOException {
    Files.createDirectory(folder.resolve("set"));
    DrawnPictures.write(folder.resolve("set"), 6);
  }

  private Path config(String run, int steps, String more) throws IOException {
    Path file = folder.resolve(run + ".yaml");
    Files.writeString(
        file,
        String.format(
            Locale.ROOT,
            """
        folder: %s
        seed: 3
        steps: %d
        threads: 1
        every: {log: 1, checkpoint: 4}
        start_from: untrained
        objective: {scales: 5}
        optimizer: {type: muon, learning_rate: 1e-3}
        data: {path: set, batch_tokens: 1100, cache: cache}
        %s
        """,
            run,
            steps,
            more));
    return file;
  }

  private static ChildJvm train(Path config, int rank) throws IOException {
    return train("train", config, rank);
  }

  private static ChildJvm train(String mode, Path config, int rank) throws IOException {
    return WorkerJvm.start(
        "worker", "--mode", mode, "--config", config.toString(), "--rank", "" + rank);
  }

  /** A number of every step of a run. */
  private List<Double> curve(String run, String name) throws IOException {
    List<Double> values = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve(run).resolve("metrics.jsonl"))) {
      JsonObject metrics = JsonParser.parseString(line).getAsJsonObject();
      values.add(metrics.get(name).getAsDouble());
    }
    return values;
  }

  @Test
  void aKilledAndResumedRunHasTheNext20LossesOfTheUninterruptedOneBitForBit() throws Exception {
    killAndResume("train", 26, config("whole", 26, ""), config("killed", 26, ""));
    assertEquals(curve("whole", "loss/scale_5"), curve("killed", "loss/scale_5"));
    ModelDirectory.open(folder.resolve("killed/model").toString()).verifyFiles();
  }

  @Test
  void aKilledTokenizerWithCodebookAndDiscriminatorGoesOnBitForBit() throws Exception {
    killAndResume("train-tokenizer", 5, tokenizerConfig("whole"), tokenizerConfig("killed"));
    for (String name : List.of("loss/quantizer", "loss/adversarial", "loss/discriminator")) {
      assertEquals(curve("whole", name), curve("killed", name));
    }
  }

  /** Kills a run after its first checkpoint, and lets it go on to its end. */
  private void killAndResume(String mode, int steps, Path whole, Path killed) throws Exception {
    try (ChildJvm run = train(mode, whole, 0)) {
      assertEquals(0, run.awaitExit());
    }
    try (ChildJvm first = train(mode, killed, 0)) {
      first.awaitLine(steps > 5 ? "step 5/" : "step 3/");
    } // kill -9
    try (ChildJvm second = train(mode, killed, 0)) {
      second.awaitLine("Going on after step");
      assertEquals(0, second.awaitExit());
    }
    assertEquals(steps, curve("whole", "loss").size());
    assertEquals(curve("whole", "loss"), curve("killed", "loss"));
    assertEquals(curve("whole", "gradient_norm"), curve("killed", "gradient_norm"));
  }

  private Path tokenizerConfig(String run) throws IOException {
    Path file = folder.resolve(run + "-tokenizer.yaml");
    Files.writeString(
        file,
        String.format(
            Locale.ROOT,
            """
        folder: %s
        seed: 3
        steps: 5
        threads: 1
        every: {log: 1, checkpoint: 2}
        tokenizer: {codebook_dim: 4, base_ch: 24, ch_mult: [1, 1, 1, 1, 1]}
        quantizer: {kind: vq, codebook_size: 64, decay: 0.5}
        adversarial: {weight: 0.1, start: 1, width: 4}
        optimizer: {learning_rate: 1e-3}
        data: {path: set, batch_tokens: 600}
        """,
            run));
    return file;
  }

  @Test
  void onSigtermItLeavesACheckpointAndExitsWithZero() throws Exception {
    try (ChildJvm run = train(config("stopped", 100_000, ""), 0)) {
      run.awaitLine("step 1/");
      run.terminate();
      assertEquals(0, run.awaitExit());
    }
    assertTrue(Files.isDirectory(folder.resolve("stopped/checkpoints")));
    assertTrue(Files.isRegularFile(folder.resolve("stopped/model/model.json")));
  }

  @Test
  void twoProcessesHaveTheGradientsOfOneAndOutliveTheLossOfTheOther() throws Exception {
    try (ChildJvm alone = train(config("alone", 3, ""), 0)) {
      assertEquals(0, alone.awaitExit());
    }
    Path together = config("together", 3, group());
    try (ChildJvm first = train(together, 0);
        ChildJvm second = train(together, 1)) {
      assertEquals(0, second.awaitExit());
      assertEquals(0, first.awaitExit());
    }
    List<Double> one = curve("alone", "gradient_norm");
    List<Double> two = curve("together", "gradient_norm");
    for (int step = 0; step < 3; step++) {
      assertEquals(one.get(step), two.get(step), 1e-4 * one.get(step));
    }

    Path longer = config("lost", 100_000, group());
    try (ChildJvm first = train(longer, 0)) {
      try (ChildJvm second = train(longer, 1)) {
        first.awaitLine("step 1/");
      } // kill -9
      first.awaitLine("lost_process");
      assertEquals(1, first.awaitExit());
    }
    try (ChildJvm first = train(longer, 0);
        ChildJvm second = train(longer, 1)) {
      first.awaitLine("Going on after step");
      first.awaitLine("step ");
    }
  }

  private static String group() throws IOException {
    try (ServerSocket free = new ServerSocket(0)) {
      return String.format(
          Locale.ROOT,
          "processes: {count: 2, timeout_seconds: 60, address: \"127.0.0.1:%d\"}",
          free.getLocalPort());
    }
  }
}
