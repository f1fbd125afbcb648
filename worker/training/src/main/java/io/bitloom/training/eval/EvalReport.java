package io.bitloom.training.eval;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import io.bitloom.common.file.WholeFile;
import io.bitloom.engine.checkpoint.JsonNumber;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.training.data.demo.Composition;
import io.bitloom.training.data.demo.Reading;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import java.util.stream.Collectors;

/**
 * What was measured, written as {@code report.json}, {@code report.md}, one line a picture in
 * {@code outcomes.jsonl} and, for ablations, {@code ablation.svg}.
 */
public final class EvalReport {
  private static final Tally.Metric[] COMPARED = {
    Tally.Metric.THING, Tally.Metric.BACKDROP, Tally.Metric.PAIR, Tally.Metric.ALL
  };

  private final ModelDirectory directory;
  private final Tally all = new Tally();
  private final Map<String, Tally> byFormat = new LinkedHashMap<>();
  private final Map<String, Tally> bySampling = new LinkedHashMap<>();
  private final List<String> outcomes = new ArrayList<>();
  private final PictureDistribution drawn = new PictureDistribution();
  private double psnr;
  private double ssim;
  private ModelLosses losses;
  private Resemblance resemblance;

  /**
   * How the pictures of the model, as a whole, compare with held-out ones.
   *
   * @param squaredDistance see {@link PictureDistribution#squaredDistance}
   * @param precision share of the model's pictures that are like a held-out one
   * @param recall share of the held-out pictures that are like one of the model
   * @param pictures that were held out and compared with
   */
  public record Resemblance(double squaredDistance, double precision, double recall, int pictures) {

    static Resemblance of(PictureDistribution drawn, PictureDistribution heldOut) {
      return new Resemblance(
          drawn.squaredDistance(heldOut),
          drawn.precision(heldOut),
          heldOut.precision(drawn),
          heldOut.size());
    }
  }

  /** An empty report on a model. */
  public EvalReport(ModelDirectory directory) {
    this.directory = directory;
  }

  /** Adds a picture that was drawn as asked. */
  public void add(PromptFollowing.Outcome outcome) {
    Composition composition = outcome.prompt().composition();
    Tally format = byFormat.computeIfAbsent(outcome.schedule().template(), it -> new Tally());
    for (Tally tally : List.of(all, format)) {
      tally.add(composition, outcome.reading(), outcome.verdict());
    }
    drawn.add(outcome.picture());
    psnr += outcome.psnr();
    ssim += outcome.ssim();
    outcomes.add(line(outcome).toString());
  }

  /** Adds a picture of the ablation. */
  public void add(SamplingVariant variant, PromptFollowing.Outcome outcome) {
    bySampling
        .computeIfAbsent(variant.name(), it -> new Tally())
        .add(outcome.prompt().composition(), outcome.reading(), outcome.verdict());
  }

  /** Sets tokenizer quality and validation loss. */
  public void set(ModelLosses losses) {
    this.losses = losses;
  }

  /** Compares the pictures that were drawn as asked with held-out ones. */
  public void compareWith(PictureDistribution heldOut) {
    resemblance = Resemblance.of(drawn, heldOut);
  }

  /** Counts of the pictures that were drawn as asked. */
  public Tally all() {
    return all;
  }

  private static JsonObject line(PromptFollowing.Outcome outcome) {
    JsonObject line = outcome.prompt().toJson();
    StringJoiner seen = new StringJoiner(", ");
    for (Reading.Found found : outcome.reading().found()) {
      seen.add(
          String.format(
              Locale.ROOT,
              "%s at %.0f, %.0f",
              EvalPrompt.words(found.subject()),
              found.x(),
              found.y()));
    }
    line.addProperty("seen", seen.toString());
    line.addProperty("seen_backdrop", outcome.reading().backdrop().name().toLowerCase(Locale.ROOT));
    line.addProperty("right_things", outcome.verdict().things());
    line.addProperty("right_backdrop", outcome.verdict().backdrop());
    line.addProperty("right_arrangement", outcome.verdict().arrangement());
    line.add("psnr", JsonNumber.of(outcome.psnr()));
    line.add("ssim", JsonNumber.of(outcome.ssim()));
    return line;
  }

  /**
   * Writes all files.
   *
   * @throws IOException if one cannot be written
   */
  public void write(Path folder) throws IOException {
    Files.createDirectories(folder);
    WholeFile.write(folder.resolve("outcomes.jsonl"), lines(outcomes));
    WholeFile.write(
        folder.resolve("report.json"),
        new GsonBuilder().setPrettyPrinting().create().toJson(json()) + "\n");
    WholeFile.write(folder.resolve("report.md"), markdown());
    if (!bySampling.isEmpty()) {
      WholeFile.write(folder.resolve("ablation.svg"), BarChart.of(bySampling, COMPARED));
    }
  }

  private static String lines(List<String> texts) {
    return texts.stream().map(text -> text + "\n").collect(Collectors.joining());
  }

  /** {@code report.json} as an event of the command that wrote it into a folder. */
  public JsonObject event(Path folder) {
    JsonObject event = new JsonObject();
    event.addProperty("event", "evaluated");
    event.addProperty("report", folder.resolve("report.md").toString());
    json().entrySet().forEach(member -> event.add(member.getKey(), member.getValue()));
    return event;
  }

  private JsonObject json() {
    JsonObject json = new JsonObject();
    json.addProperty("model", directory.name());
    json.addProperty("model_digest", directory.digest());
    json.add("prompt_following", rates(all));
    JsonObject likeness = new JsonObject();
    likeness.add("psnr", JsonNumber.of(psnr / drawn.size()));
    likeness.add("ssim", JsonNumber.of(ssim / drawn.size()));
    json.add("likeness", likeness);
    JsonObject formats = new JsonObject();
    byFormat.forEach((format, tally) -> formats.add(format, rates(tally)));
    json.add("by_h_div_w", formats);
    json.add("confusion", new GsonBuilder().create().toJsonTree(all.confusion()));
    if (losses != null) {
      json.add("held_out_pictures", heldOut(losses));
    }
    if (resemblance != null) {
      json.add(
          "resemblance",
          new GsonBuilder()
              .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
              .create()
              .toJsonTree(resemblance));
    }
    JsonObject samplings = new JsonObject();
    bySampling.forEach((name, tally) -> samplings.add(name, rates(tally)));
    json.add("sampling_ablation", samplings);
    return json;
  }

  private static JsonObject heldOut(ModelLosses losses) {
    JsonObject json = new JsonObject();
    json.addProperty("pictures", losses.pictures());
    json.add("psnr", JsonNumber.of(losses.psnr()));
    json.add("ssim", JsonNumber.of(losses.ssim()));
    json.add("bit_loss", JsonNumber.of(losses.bitLoss()));
    json.add("bit_accuracy", JsonNumber.of(losses.bitAccuracy()));
    json.add("reconstructions", rates(losses.reconstructions()));
    return json;
  }

  private static JsonObject rates(Tally tally) {
    JsonObject rates = new JsonObject();
    for (Tally.Metric metric : Tally.Metric.values()) {
      if (tally.of(metric) > 0) {
        JsonObject rate = new JsonObject();
        rate.addProperty("rate", tally.rate(metric));
        rate.addProperty("pictures", tally.of(metric));
        rates.add(metric.name().toLowerCase(Locale.ROOT), rate);
      }
    }
    return rates;
  }

  private String markdown() {
    StringBuilder text = new StringBuilder();
    text.append("# ").append(directory.name()).append(" on held-out prompts\n\n");
    text.append(shares(all));
    text.append(
        String.format(
            Locale.ROOT,
            "%nLikeness to the drawings that the prompts describe: PSNR %.2f dB, SSIM %.4f.%n",
            psnr / drawn.size(),
            ssim / drawn.size()));
    if (losses != null) {
      text.append(
          String.format(
              Locale.ROOT,
              "%n%d held-out pictures: PSNR %.2f dB, SSIM %.4f, loss %.4f a bit, bits right %.2f %%.%n",
              losses.pictures(),
              losses.psnr(),
              losses.ssim(),
              losses.bitLoss(),
              100 * losses.bitAccuracy()));
      text.append("\n## What the tokenizer can show\n\n");
      text.append("The same pictures, encoded and decoded:\n\n")
          .append(shares(losses.reconstructions()));
    }
    if (resemblance != null) {
      text.append(
          String.format(
              Locale.ROOT,
              "%nAgainst %d held-out pictures: squared Fréchet distance %.4f, precision %.1f %%, recall %.1f %%.%n",
              resemblance.pictures(),
              resemblance.squaredDistance(),
              100 * resemblance.precision(),
              100 * resemblance.recall()));
    }
    text.append("\n## By height over width\n\n").append(table("h/w", byFormat));
    if (!bySampling.isEmpty()) {
      text.append("\n## By sampling\n\n").append(table("sampling", bySampling));
      text.append("\n![Sampling](ablation.svg)\n");
    }
    text.append("\n## Mistaken things\n\n| asked for | seen |\n|---|---|\n");
    all.confusion()
        .forEach(
            (thing, seen) -> {
              StringJoiner others = new StringJoiner(", ");
              seen.forEach((other, times) -> others.add(other + " " + times));
              text.append("| ").append(thing).append(" | ").append(others).append(" |\n");
            });
    return text.toString();
  }

  private static String shares(Tally tally) {
    StringBuilder table = new StringBuilder("| what | share | pictures |\n|---|---|---|\n");
    for (Tally.Metric metric : Tally.Metric.values()) {
      table.append(
          String.format(
              Locale.ROOT,
              "| %s | %s | %d |%n",
              metric.label(),
              share(tally, metric),
              tally.of(metric)));
    }
    return table.toString();
  }

  private static String table(String what, Map<String, Tally> tallies) {
    StringBuilder table = new StringBuilder("| " + what);
    StringBuilder rule = new StringBuilder("|---");
    for (Tally.Metric metric : COMPARED) {
      table.append(" | ").append(metric.label());
      rule.append("|---");
    }
    table.append(" |\n").append(rule).append("|\n");
    tallies.forEach(
        (name, tally) -> {
          table.append("| ").append(name);
          for (Tally.Metric metric : COMPARED) {
            table.append(" | ").append(share(tally, metric));
          }
          table.append(" |\n");
        });
    return table.toString();
  }

  private static String share(Tally tally, Tally.Metric metric) {
    return tally.of(metric) == 0
        ? "–"
        : String.format(Locale.ROOT, "%.1f %%", 100 * tally.rate(metric));
  }
}
