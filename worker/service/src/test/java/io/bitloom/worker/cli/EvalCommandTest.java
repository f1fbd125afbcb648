package io.bitloom.worker.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.bitloom.engine.modeldir.ModelDirectory;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class EvalCommandTest {

  @Test
  void aModelOfRandomWeightsFollowsNoPrompt(@TempDir Path folder) throws IOException {
    JsonObject json = report(ModelDirectory.UNTRAINED, 3, folder);
    assertEquals(0, rate(json, "all"));
    JsonObject heldOut = json.getAsJsonObject("held_out_pictures");
    assertEquals(0.5, heldOut.get("bit_accuracy").getAsDouble(), 0.06);
    assertTrue(heldOut.get("bit_loss").getAsDouble() > Math.log(2));
    JsonObject shown = heldOut.getAsJsonObject("reconstructions").getAsJsonObject("backdrop");
    assertEquals(1, shown.get("pictures").getAsInt());
    assertTrue(heldOut.get("psnr").getAsDouble() < 15);
    assertTrue(json.getAsJsonObject("likeness").get("psnr").getAsDouble() < 15, json::toString);
    assertTrue(Files.exists(folder.resolve("pictures").resolve("p000.png")));
  }

  @Test
  void theDemoModelDrawsWhatPromptsSay(@TempDir Path folder) throws IOException {
    JsonObject json = report(ModelDirectory.DEMO, 16, folder);
    assertTrue(rate(json, "thing") >= 0.9, json::toString);
    assertTrue(rate(json, "pair") >= 0.8, json::toString);
    assertEquals(1, rate(json, "backdrop"));
    assertTrue(json.getAsJsonObject("likeness").get("psnr").getAsDouble() > 20, json::toString);
    assertTrue(
        json.getAsJsonObject("held_out_pictures").get("bit_accuracy").getAsDouble() > 0.85,
        json::toString);
  }

  @Test
  void samplingThatAModelCannotDoIsRefusedBeforeAnythingIsDrawn(@TempDir Path folder) {
    assertEquals("--temperature", refused(folder, "--temperature", "0"));
    assertEquals("--guidance", refused(folder, "--guidance", "3,3"));
    assertEquals("--preset", refused(folder, "--preset", "best"));
  }

  /** The option that the message names. */
  private static String refused(Path folder, String... sampling) {
    StringWriter err = new StringWriter();
    CommandLine command =
        new CommandLine(new EvalCommand())
            .setCaseInsensitiveEnumValuesAllowed(true)
            .setErr(new PrintWriter(err));
    List<String> args = new ArrayList<>(List.of("--out", folder.resolve("eval").toString()));
    args.addAll(List.of(sampling));
    assertEquals(2, command.execute(args.toArray(String[]::new)));
    assertFalse(Files.exists(folder.resolve("eval")));
    return err.toString().split("[ :]", 2)[0];
  }

  private static JsonObject report(String model, int prompts, Path folder) throws IOException {
    int code =
        new CommandLine(new EvalCommand())
            .setCaseInsensitiveEnumValuesAllowed(true)
            .execute(
                "--out",
                folder.toString(),
                "--limit",
                String.valueOf(prompts),
                "--pictures",
                "1",
                "--model",
                model);
    assertEquals(0, code);
    return JsonParser.parseString(Files.readString(folder.resolve("report.json")))
        .getAsJsonObject();
  }

  private static double rate(JsonObject report, String metric) {
    return report
        .getAsJsonObject("prompt_following")
        .getAsJsonObject(metric)
        .get("rate")
        .getAsDouble();
  }
}
