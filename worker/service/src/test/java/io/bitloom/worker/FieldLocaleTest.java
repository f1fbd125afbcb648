package io.bitloom.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.checkpoint.Checkpoints;
import io.bitloom.engine.checkpoint.SafetensorsWriter;
import io.bitloom.engine.modeldir.TinyModel;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.training.data.DrawnPictures;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What programs read of each other looks the same on machines whose language has digits of its own,
 * or another small i.
 */
class FieldLocaleTest {
  private final Locale before = Locale.getDefault();

  @TempDir private Path folder;

  @AfterEach
  void restoreTheLocale() {
    Locale.setDefault(before);
  }

  private String run(Object... arguments) {
    StringWriter said = new StringWriter();
    PrintWriter print = new PrintWriter(said, true);
    int exit =
        Main.commandLine()
            .setOut(print)
            .setErr(print)
            .execute(Stream.of(arguments).map(String::valueOf).toArray(String[]::new));
    assertEquals(0, exit, said::toString);
    return said.toString();
  }

  @ParameterizedTest
  @ValueSource(strings = {"ar-EG-u-nu-arab", "fa-IR-u-nu-arabext", "hi-IN-u-nu-deva", "tr-TR"})
  void convertedShardsHaveNamesThatTheirIndexLeadsTo(String locale) throws IOException {
    Path file = folder.resolve("transformer.safetensors");
    try (Weights weights = TinyModel.transformerWeights(1)) {
      SafetensorsWriter.write(file, weights, Map.of());
      Locale.setDefault(Locale.forLanguageTag(locale));
      run("model", "convert", file, "--out", folder.resolve("sharded"), "--shard-size", "0.0003");
      run("model", "inspect", folder.resolve("sharded"), "--strict");
      assertTrue(names(folder.resolve("sharded")).get(0).startsWith("model-00001-of-000"));
      try (Weights read = Checkpoints.open(folder.resolve("sharded"))) {
        assertEquals(weights.names().size(), read.names().size());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"ar-EG-u-nu-arab", "tr-TR"})
  void aRunFindsItsCheckpointsAndPrunesThem(String locale) throws IOException {
    Files.createDirectory(folder.resolve("set"));
    DrawnPictures.write(folder.resolve("set"), 4);
    Locale.setDefault(Locale.forLanguageTag(locale));
    run("worker", "--mode", "train-tokenizer", "--config", config(2));
    String said = run("worker", "--mode", "train-tokenizer", "--config", config(3));

    assertTrue(said.contains("Going on after step 2 of 3"), said);
    assertTrue(said.contains("step 3/3  loss "), said);
    assertEquals(List.of("step-000000003"), names(folder.resolve("run/checkpoints")));
    String metrics = Files.readString(folder.resolve("run/metrics.jsonl"));
    assertTrue(metrics.startsWith("{\"step\":1,\"kind\":\"train\",\"loss\":"), metrics);
  }

  private Path config(int steps) throws IOException {
    return Files.writeString(
        folder.resolve("run.yaml"),
        """
        folder: run
        steps: STEPS
        threads: 1
        keep_checkpoints: 1
        every: {log: 1, checkpoint: 1}
        tokenizer: {codebook_dim: 4, base_ch: 24, ch_mult: [1, 1, 1, 1, 1]}
        quantizer: {kind: bsq}
        optimizer: {learning_rate: 1e-3}
        data: {path: set, batch_tokens: 300}
        """
            .replace("STEPS", Integer.toString(steps)));
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }
}
