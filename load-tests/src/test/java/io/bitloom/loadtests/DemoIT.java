package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoIT {

  @TempDir Path folder;

  @Test
  void theDemoLeavesAnImageForEveryPromptAndNoProcess() throws Exception {
    BitloomProcess demo = BitloomProcess.run(folder, "demo", "demo", "--out", "pictures");

    assertEquals(0, demo.exitCode(), demo::said);
    assertTrue(demo.out().contains("28 things"), demo.out());
    assertFalse(demo.said().contains("\u001b"), "control codes without a terminal");
    Path out = folder.resolve("pictures");
    List<String> manifest = Files.readAllLines(out.resolve("manifest.jsonl"));
    assertEquals(24, manifest.size());
    Set<String> ratios = new HashSet<>();
    for (String line : manifest) {
      ratios.add(imageHasTheSizeOfItsSchedule(out, line));
    }
    assertTrue(ratios.size() >= 6, ratios.toString());
    assertTrue(ImageIO.read(out.resolve("contact-sheet.png").toFile()).getWidth() > 1000);
    assertEquals(List.of(), processesOf(folder));
  }

  @Test
  void theDemoRunsAgainInItsFolderAndTakesOtherPrompts() throws Exception {
    Files.writeString(
        folder.resolve("mine.jsonl"),
        """
        {"prompt": "a cat", "aspect_ratio": "21:9", "num_images": 2, "format": "jpeg"}
        {"custom_id": "../dog", "prompt": "a dog"}
        """);
    BitloomProcess.run(folder, "first", "demo", "--prompts=mine.jsonl", "--json");
    BitloomProcess demo =
        BitloomProcess.run(folder, "second", "demo", "--prompts=mine.jsonl", "--json");

    assertEquals(0, demo.exitCode(), demo::said);
    for (String line : demo.out().lines().toList()) {
      assertTrue(JsonParser.parseString(line).isJsonObject(), line);
    }
    Path out = folder.resolve("out/demo");
    assertTrue(Files.exists(out.resolve("prompt-0_0.jpg")), demo::said);
    assertTrue(Files.exists(out.resolve("prompt-0_1.jpg")), demo::said);
    assertFalse(Files.exists(folder.resolve("out/dog.png")));
    assertEquals(3, Files.readAllLines(out.resolve("manifest.jsonl")).size());
  }

  /** Returns the template of the image's schedule. */
  private static String imageHasTheSizeOfItsSchedule(Path out, String line) throws IOException {
    JsonObject entry = JsonParser.parseString(line).getAsJsonObject();
    ScaleSchedule schedule = ScaleSchedules.find(entry.get("schedule").getAsString()).orElseThrow();
    BufferedImage image = ImageIO.read(out.resolve(entry.get("file").getAsString()).toFile());
    assertEquals(schedule.pixelWidth(), image.getWidth(), line);
    assertEquals(schedule.pixelHeight(), image.getHeight(), line);
    return schedule.template();
  }

  /** Command lines of the processes that have to do with a folder. */
  private static List<String> processesOf(Path folder) {
    return ProcessHandle.allProcesses()
        .map(process -> process.info().commandLine().orElse(""))
        .filter(command -> command.contains(folder.toString()))
        .toList();
  }
}
