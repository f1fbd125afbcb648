package io.bitloom.training.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.training.data.demo.Backdrop;
import io.bitloom.training.data.demo.Composition;
import io.bitloom.training.data.demo.Reading;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvalReportTest {
  /** What the checker would see if the picture showed another composition. */
  private static PromptFollowing.Outcome outcome(EvalPrompt prompt, Composition shown) {
    ScaleSchedule schedule =
        ScaleSchedules.nearest(prompt.hDivW()).schedule(SizeClass.PIXELS_0_06M);
    List<Reading.Found> found = new ArrayList<>();
    for (var subject : shown.subjects()) {
      found.add(new Reading.Found(subject, 100, 100, 96, 1));
    }
    Reading reading = new Reading(shown.backdrop(), found);
    return new PromptFollowing.Outcome(
        prompt,
        schedule,
        reading,
        reading.against(prompt.composition(), schedule),
        new RgbImage(16, 16, new byte[768]),
        shown.equals(prompt.composition()) ? 24 : 16,
        0.5,
        new byte[0]);
  }

  @Test
  void sharesAreThoseOfThePicturesThatWereRight(@TempDir Path folder) throws Exception {
    List<EvalPrompt> singles =
        EvalPrompts.draw(60, 3).stream()
            .filter(prompt -> prompt.composition() instanceof Composition.Single)
            .limit(8)
            .toList();
    EvalReport report = new EvalReport(ModelDirectory.open(ModelDirectory.UNTRAINED));
    for (int i = 0; i < 8; i++) {
      Composition.Single asked = (Composition.Single) singles.get(i).composition();
      Composition shown = asked;
      if (i % 4 == 3) { // a quarter of the backdrops is wrong
        Backdrop other = Backdrop.values()[(asked.backdrop().ordinal() + 1) % 8];
        shown = new Composition.Single(asked.subject(), asked.size(), asked.place(), other);
      }
      report.add(outcome(singles.get(i), shown));
      report.add(SamplingVariant.ablation().get(0), outcome(singles.get(i), asked));
    }
    assertEquals(1, report.all().rate(Tally.Metric.THING));
    assertEquals(0.75, report.all().rate(Tally.Metric.BACKDROP));
    assertEquals(0, report.all().of(Tally.Metric.PAIR));

    PictureDistribution heldOut = new PictureDistribution();
    for (int grey = 0; grey < 5; grey++) {
      byte[] rgb = new byte[768];
      Arrays.fill(rgb, (byte) (50 * grey)); // the pictures above are black
      heldOut.add(new RgbImage(16, 16, rgb));
    }
    report.compareWith(heldOut);
    report.write(folder);
    JsonObject json =
        JsonParser.parseString(Files.readString(folder.resolve("report.json"))).getAsJsonObject();
    assertEquals(
        0.75,
        json.getAsJsonObject("prompt_following")
            .getAsJsonObject("backdrop")
            .get("rate")
            .getAsDouble());
    JsonObject resemblance = json.getAsJsonObject("resemblance");
    assertEquals(5, resemblance.get("pictures").getAsInt());
    assertEquals(1, resemblance.get("precision").getAsDouble());
    assertEquals(0.2, resemblance.get("recall").getAsDouble());
    assertTrue(resemblance.get("squared_distance").getAsDouble() > 0);
    assertEquals(22, json.getAsJsonObject("likeness").get("psnr").getAsDouble());
    assertEquals(0.5, json.getAsJsonObject("likeness").get("ssim").getAsDouble());
    assertTrue(Files.readString(folder.resolve("report.md")).contains("75.0 %"));
    assertEquals(8, Files.readAllLines(folder.resolve("outcomes.jsonl")).size());
    DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(folder.resolve("ablation.svg").toFile());
  }
}
