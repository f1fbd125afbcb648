package io.bitloom.worker.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.rules.ImagePromptRules;
import io.bitloom.common.rules.PromptJson;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.DrawnScale;
import io.bitloom.engine.EncodedImage;
import io.bitloom.engine.PromptWork;
import io.bitloom.engine.StageDurations;
import io.bitloom.engine.modeldir.ModelDirectory;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import picocli.CommandLine;

/**
 * What {@code bitloom generate} says: file names, or one JSON document, on standard output; all
 * else on standard error, where a terminal also sees the scales go by.
 */
final class GenerateReport implements Consumer<DrawnScale> {
  private final PrintWriter out;
  private final PrintWriter err;
  private final boolean json;
  private final boolean terminal;
  private final ModelDirectory model;
  private final ImagePrompt prompt;
  private final ScaleSchedule schedule;

  GenerateReport(
      CommandLine command, boolean json, ModelDirectory model, ImagePromptRules.Resolved resolved) {
    this.out = command.getOut();
    this.err = command.getErr();
    this.json = json;
    this.terminal = !json && System.console() != null;
    this.model = model;
    this.prompt = resolved.prompt();
    this.schedule = resolved.schedule();
  }

  private String topK() {
    Integer topK = prompt.sampling().topK();
    return topK == null || topK == 0 ? "" : ", top-k " + topK;
  }

  /** Says what is going to be drawn. */
  void start() {
    if (json) {
      return;
    }
    err.println(model.name() + ": " + model.description());
    err.println(
        String.format(
            Locale.ROOT,
            "%s: %d × %d pixels in %d scales, seed %d, guidance %s, temperature %s%s",
            schedule,
            schedule.pixelWidth(),
            schedule.pixelHeight(),
            schedule.scales().size(),
            prompt.seed(),
            listed(prompt.sampling().guidance()),
            listed(prompt.sampling().temperature()),
            prompt.sampling().greedy()
                ? ", greedy"
                : ", top-p " + number(prompt.sampling().topP()) + topK()));
    err.flush();
  }

  private static String listed(List<Double> values) {
    return values.stream().map(GenerateReport::number).collect(Collectors.joining(","));
  }

  private static String number(double value) {
    String rounded = String.format(Locale.ROOT, "%.3f", value);
    return rounded.replaceAll("\\.?0+$", "");
  }

  @Override
  public void accept(DrawnScale batch) {
    if (terminal) {
      String images = batch.images() == 1 ? "image" : batch.images() + " images";
      err.print("\r" + images + ", scale " + batch.scalesDone() + "/" + batch.scales() + " ");
      err.flush();
    }
  }

  /** Names the files and says how long it took. */
  void end(
      GeneratedFiles files, PromptWork drawn, boolean steps, Duration loading, Duration drawing) {
    if (json) {
      out.println(document(files, drawn, steps, loading, drawing));
    } else {
      err.print(terminal ? "\r\033[K" : "");
      err.flush();
      drawn.images().forEach(image -> print(files, image, steps));
      out.flush();
      drawn.drawnText().ifPresent(text -> err.println("drawn: " + text));
      err.println(summary(drawn, loading, drawing));
    }
    out.flush();
    err.flush();
  }

  private void print(GeneratedFiles files, EncodedImage image, boolean steps) {
    out.println(files.image(image.index()));
    if (steps) {
      for (int scale = 1; scale <= schedule.scales().size(); scale++) {
        out.println(files.step(image.index(), scale));
      }
      out.println(files.strip(image.index()));
    }
  }

  private static String summary(PromptWork drawn, Duration loading, Duration drawing) {
    int images = drawn.images().size();
    StageDurations times = drawn.durations();
    return String.format(
        Locale.ROOT,
        "%d image%s in %.2f s, %.2f s an image (text %.2f, transformer %.2f, decode %.2f,"
            + " encode %.2f); model loaded in %.2f s",
        images,
        images == 1 ? "" : "s",
        seconds(drawing),
        seconds(drawing) / images,
        seconds(times.text()) / images,
        seconds(times.transformer()) / images,
        seconds(times.decode()) / images,
        seconds(times.encode()) / images,
        seconds(loading));
  }

  private JsonObject document(
      GeneratedFiles files, PromptWork drawn, boolean steps, Duration loading, Duration drawing) {
    JsonObject document = new JsonObject();
    document.addProperty("event", "generated");
    document.addProperty("model", model.name());
    document.addProperty("model_digest", model.digest());
    document.addProperty("schedule", schedule.id());
    document.addProperty("shape", schedule.shape());
    document.addProperty("seed", prompt.seed());
    document.add("parameters", JsonParser.parseString(PromptJson.format(prompt)));
    drawn.drawnText().ifPresent(text -> document.addProperty("drawn_text", text));
    JsonArray names = new JsonArray();
    JsonArray images = new JsonArray();
    for (EncodedImage image : drawn.images()) {
      names.add(files.image(image.index()).toString());
      images.add(described(files, image, steps));
    }
    document.add("files", names);
    document.add("images", images);
    StageDurations times = drawn.durations();
    JsonObject seconds = new JsonObject();
    seconds.addProperty("load", seconds(loading));
    seconds.addProperty("draw", seconds(drawing));
    seconds.addProperty("text", seconds(times.text()));
    seconds.addProperty("transformer", seconds(times.transformer()));
    seconds.addProperty("decode", seconds(times.decode()));
    seconds.addProperty("encode", seconds(times.encode()));
    document.add("seconds", seconds);
    return document;
  }

  private JsonObject described(GeneratedFiles files, EncodedImage image, boolean steps) {
    JsonObject described = new JsonObject();
    described.addProperty("index", image.index());
    described.addProperty("file", files.image(image.index()).toString());
    described.addProperty("width", image.pixels().width());
    described.addProperty("height", image.pixels().height());
    described.addProperty("size_bytes", image.file().length);
    described.addProperty("sha256", HexFormat.of().formatHex(image.sha256()));
    if (steps) {
      JsonArray names = new JsonArray();
      for (int scale = 1; scale <= schedule.scales().size(); scale++) {
        names.add(files.step(image.index(), scale).toString());
      }
      described.add("steps", names);
      described.addProperty("strip", files.strip(image.index()).toString());
    }
    return described;
  }

  private static double seconds(Duration duration) {
    return duration.toNanos() / 1e9;
  }
}
