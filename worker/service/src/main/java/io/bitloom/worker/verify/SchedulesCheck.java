package io.bitloom.worker.verify;

import com.google.gson.JsonElement;
import io.bitloom.common.schedule.AspectRatioTemplate;
import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.checkpoint.JsonFields;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Checks {@code schedules*.json}: pixel sizes, scales and token counts, and the nearest template.
 */
final class SchedulesCheck implements FixtureCheck {
  private static final Set<String> MEMBERS =
      Set.of("producer", "pn", "templates_in_order", "templates", "nearest_examples", "notes");
  private static final Set<String> SCHEDULE_MEMBERS =
      Set.of("pixel_hw", "scales_thw_table", "scales_image", "seq_len_image");

  @Override
  public void check(Fixture fixture, FileReport report) {
    JsonFields file = fixture.json();
    for (String member : file.names()) {
      if (!MEMBERS.contains(member)) {
        report.fault(member, "no check knows this member");
      }
    }
    report.testCase("templates_in_order", found -> checkOrder(file, found));
    JsonFields templates = file.object("templates");
    for (String key : templates.names()) {
      JsonFields sizes = templates.object(key);
      for (String size : sizes.names()) {
        report.testCase(key + " " + size, found -> checkSchedule(key, size, sizes, found));
      }
    }
    report.testCase("nearest_examples", found -> checkNearest(file, found));
  }

  private static void checkOrder(JsonFields file, CaseReport found) {
    List<Double> expected = new ArrayList<>();
    for (double ratio : file.numbers("templates_in_order")) {
      expected.add(ratio);
    }
    found.equal(
        "templates",
        ScaleSchedules.templates().stream().map(AspectRatioTemplate::hDivW).toList(),
        expected);
    found.equal(
        "templates with schedules",
        Set.copyOf(ScaleSchedules.templates().stream().map(AspectRatioTemplate::key).toList()),
        file.object("templates").names());
  }

  private static void checkSchedule(String key, String size, JsonFields sizes, CaseReport found) {
    AspectRatioTemplate template =
        ScaleSchedules.templates().stream()
            .filter(candidate -> candidate.hDivW() == Double.parseDouble(key))
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("there is no template " + key));
    SizeClass sizeClass =
        SizeClass.find(size)
            .orElseThrow(() -> new IllegalArgumentException("there is no size " + size));
    ScaleSchedule schedule = template.schedule(sizeClass);
    JsonFields expected = sizes.object(size);
    for (String member : expected.names()) {
      if (!SCHEDULE_MEMBERS.contains(member)) {
        found.fault(member + ": no check knows this member");
      }
    }
    long[] pixels = expected.integers("pixel_hw");
    found.equal("pixel height", (long) schedule.pixelHeight(), pixels[0]);
    found.equal("pixel width", (long) schedule.pixelWidth(), pixels[1]);
    found.equal("scales", schedule.scales(), Fixture.scales(expected, "scales_image"));
    found.equal("scales of the table", schedule.scales(), table(expected));
    found.equal("tokens", schedule.tokens(), expected.integer("seq_len_image"));
  }

  /** The table's scales for video; pictures take height and width of each. */
  private static List<Scale> table(JsonFields expected) {
    List<Scale> scales = new ArrayList<>();
    for (JsonElement element : expected.elements("scales_thw_table")) {
      var sides = element.getAsJsonArray();
      scales.add(new Scale(sides.get(1).getAsInt(), sides.get(2).getAsInt()));
    }
    return scales;
  }

  private static void checkNearest(JsonFields file, CaseReport found) {
    for (JsonElement element : file.elements("nearest_examples")) {
      JsonFields example = JsonFields.of("nearest_examples", element.getAsJsonObject());
      double ratio = example.number("h_div_w");
      found.equal(
          "nearest to " + ratio, ScaleSchedules.nearest(ratio).hDivW(), example.number("template"));
    }
  }
}
