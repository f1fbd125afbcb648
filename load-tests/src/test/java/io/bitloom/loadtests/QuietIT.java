package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * On standard error stands what Bitloom writes there on purpose, which is its log, and nothing that
 * a library says past it. With {@code BITLOOM_LOG=json} a line of the log names its logger.
 */
class QuietIT {
  private static final Map<String, String> JSON_LOG = Map.of("BITLOOM_LOG", "json");

  @TempDir Path folder;

  @Test
  void commandsThatComputeSayNothingBesideTheirLog() throws Exception {
    quiet(0, "demo-data", "--out=set", "--count=6");
    Files.writeString(
        folder.resolve("run.yaml"),
        """
        folder: run
        steps: 1
        start_from: untrained
        objective: {scales: 3}
        data: {path: set, batch_tokens: 600}
        """);
    quiet(0, "worker", "--mode=train", "--config=run.yaml");
    quiet(0, "model", "inspect", "run/model", "--strict", "--json");
    quiet(0, "generate", "a cat", "--out=pictures", "--json");
    quiet(0, "tokenizer", "reconstruct", "pictures", "--json");
    quiet(0, "eval", "--limit=1", "--pictures=1");
    Files.createDirectory(folder.resolve("fixtures"));
    Files.write(folder.resolve("fixtures/quantizer.safetensors"), fileWithoutCases());
    quiet(1, "verify", "--fixtures=fixtures", "--json");
  }

  @Test
  void theDemoAndItsWorkerSayNothingBesideTheirLog() throws Exception {
    Files.writeString(folder.resolve("one.jsonl"), "{\"prompt\": \"a cat\"}\n");

    quiet(0, "demo", "--prompts=one.jsonl", "--out=out", "--json");

    List<String> worker = Files.readAllLines(folder.resolve("out/logs/worker.log"));
    assertFalse(worker.isEmpty());
    worker.forEach(QuietIT::assertOwnLog);
    JsonObject last = JsonParser.parseString(worker.get(worker.size() - 1)).getAsJsonObject();
    assertFalse(last.get("worker").getAsString().isEmpty());
  }

  private void quiet(int exitCode, String... arguments) throws Exception {
    BitloomProcess process =
        BitloomProcess.start(folder, arguments[0], List.of(arguments), JSON_LOG);

    assertEquals(exitCode, process.exitCode(), process::said);
    process.err().lines().forEach(QuietIT::assertOwnLog);
  }

  private static void assertOwnLog(String line) {
    String logger;
    try {
      logger = JsonParser.parseString(line).getAsJsonObject().get("logger").getAsString();
    } catch (JsonParseException | IllegalStateException e) {
      throw new AssertionError("not from Bitloom's log: " + line, e);
    }
    assertTrue(logger.startsWith("io.bitloom."), line);
  }

  /** A safetensors file with one number and no case, of which verify says so. */
  private static byte[] fileWithoutCases() {
    byte[] header =
        """
        {"__metadata__": {"cases": "{}"},
         "x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
        """
            .getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(Long.BYTES + header.length + Float.BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(header.length)
        .put(header)
        .putFloat(1)
        .array();
  }
}
