package io.bitloom.worker.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.checkpoint.SafetensorsWriter;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class FixtureSuiteTest {
  @TempDir Path folder;

  private List<CaseReport> run() {
    List<CaseReport> reports = new ArrayList<>();
    boolean holds = FixtureSuite.exact(folder).run(reports::add);
    assertEquals(holds, !reports.isEmpty() && reports.stream().allMatch(CaseReport::holds));
    return reports;
  }

  private void write(String file, Map<String, String> metadata, Map<String, float[]> tensors)
      throws IOException {
    try (Weights weights = new Weights(file);
        Scope scope = Scope.open()) {
      tensors.forEach((name, values) -> weights.put(name, Tensors.of(values, values.length)));
      SafetensorsWriter.write(folder.resolve(file), weights, metadata);
    }
  }

  @Test
  void anEmptyFolderDoesNotHold() {
    assertEquals(List.of(), run());
  }

  @Test
  void aFileOfUnknownKindFails() throws IOException {
    Files.writeString(folder.resolve("README.md"), "documentation");
    Files.writeString(folder.resolve("novelty.safetensors"), "");
    Files.createDirectory(folder.resolve("nested"));
    List<CaseReport> reports = run();
    assertEquals(2, reports.size());
    reports.forEach(
        report -> assertEquals(List.of("is of no known kind"), report.faults(), report.file()));
  }

  @Test
  void aFileThatCannotBeReadFails() throws IOException {
    Files.writeString(folder.resolve("quantizer.safetensors"), "broken");
    assertTrue(run().get(0).faults().get(0).contains("this is text"));
  }

  @Test
  void aTensorThatNoCheckKnowsFails() throws IOException {
    write("quantizer.safetensors", Map.of("cases", "{}"), Map.of("novelty", new float[1]));
    List<CaseReport> reports = run();
    assertTrue(reports.stream().anyMatch(it -> it.faults().contains("no check knows this tensor")));
  }

  @Test
  void aFileWithoutCasesFails() throws IOException {
    write("bsc.safetensors", Map.of("cases", "{}"), Map.of());
    assertEquals(List.of("has no case"), run().get(0).faults());
  }

  @Test
  void aScheduleThatDiffersFailsItsCaseOnly() throws IOException {
    Files.writeString(
        folder.resolve("schedules.json"),
        """
        {"pn": ["0.06M"], "templates_in_order": [1.0], "nearest_examples": [],
         "templates": {"1.0": {"0.06M": {
           "pixel_hw": [256, 250], "seq_len_image": 6,
           "scales_thw_table": [[1, 1, 1]], "scales_image": [[1, 1, 1]]}}}}
        """);
    List<String> failed = run().stream().filter(it -> !it.holds()).map(CaseReport::name).toList();
    assertTrue(failed.contains("1.0 0.06M"));
  }

  @Test
  void weightsWithANumberThatIsNotFiniteFail() throws IOException {
    write("a_vae.safetensors", Map.of(), Map.of("w", new float[] {1, Float.NaN, 2}));
    assertFalse(run().get(0).holds());
  }

  @Test
  void theCommandExitsWithOneAndNamesWhatFails() throws IOException {
    write("quantizer.safetensors", Map.of("cases", "{}"), Map.of("novelty", new float[1]));
    StringWriter out = new StringWriter();
    CommandLine command =
        new CommandLine(new VerifyCommand())
            .setOut(new PrintWriter(out))
            .setErr(new PrintWriter(out));
    String fixtures = "--fixtures=" + folder;
    assertEquals(1, command.execute(fixtures, "--only=quantizer*"));
    assertTrue(out.toString().contains("novelty"), out.toString());
    assertEquals(1, command.execute("--json", "--only=quantizer.safetensors", fixtures));
    out.getBuffer().setLength(0);
    assertEquals(2, command.execute(fixtures, "--only=vae*"), "a filter that leaves nothing");
    assertTrue(out.toString().startsWith("--only: there is no fixture \"vae*\""), out.toString());
    assertEquals(2, command.execute("--fixtures", folder.resolve("absent").toString()));
    assertEquals(2, command.execute("--only=vae*"));
  }
}
