package io.bitloom.training.eval;

import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.rules.ImagePromptRules;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.EncodedImage;
import io.bitloom.engine.Engine;
import io.bitloom.engine.PromptWork;
import io.bitloom.engine.image.PictureQuality;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.training.data.demo.DemoPictures;
import io.bitloom.training.data.demo.PictureReader;
import io.bitloom.training.data.demo.Reading;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Draws prompts with a model and has the checker look at the pictures. */
public final class PromptFollowing {
  private final Engine engine;
  private final PictureReader reader = new PictureReader();
  private final DemoPictures drawings = new DemoPictures();

  /** Measures a loaded model. */
  public PromptFollowing(Engine engine) {
    this.engine = engine;
  }

  /**
   * A picture that was drawn and looked at.
   *
   * @param picture as the checker saw it
   * @param psnr against the drawing that the prompt describes, in decibels
   * @param ssim against the same
   * @param png the picture as a file
   */
  public record Outcome(
      EvalPrompt prompt,
      ScaleSchedule schedule,
      Reading reading,
      Reading.Verdict verdict,
      RgbImage picture,
      double psnr,
      double ssim,
      byte[] png) {}

  /** Draws all prompts, those of a schedule together, and tells of each in the order drawn. */
  public void draw(List<EvalPrompt> prompts, SamplingVariant variant, Consumer<Outcome> outcomes) {
    Map<ScaleSchedule, List<EvalPrompt>> bySchedule = new LinkedHashMap<>();
    Map<String, ImagePrompt> resolved = new LinkedHashMap<>();
    for (EvalPrompt prompt : prompts) {
      ImagePromptRules.Resolved full = resolve(prompt, variant, engine.model());
      bySchedule.computeIfAbsent(full.schedule(), it -> new ArrayList<>()).add(prompt);
      resolved.put(prompt.id(), full.prompt());
    }
    bySchedule.forEach(
        (schedule, group) -> {
          List<ImagePrompt> full = group.stream().map(prompt -> resolved.get(prompt.id())).toList();
          List<PromptWork> works = engine.submit(schedule, full, scale -> {}).prompts();
          for (int i = 0; i < group.size(); i++) {
            outcomes.accept(look(group.get(i), schedule, works.get(i).images().get(0)));
          }
        });
  }

  /** What is wrong with drawing prompts in this way with a model; empty if nothing is. */
  public static List<FieldViolation> check(
      List<EvalPrompt> prompts, SamplingVariant variant, ModelDirectory directory) {
    ImagePrompt sampling = ImagePrompt.NONE.toBuilder().sampling(variant.sampling()).build();
    List<FieldViolation> violations = ImagePromptRules.defaults().checkDefaults(sampling);
    if (!violations.isEmpty()) {
      return violations; // nothing can be resolved with them
    }
    return prompts.stream()
        .map(prompt -> resolve(prompt, variant, directory))
        .flatMap(full -> directory.check(full).stream())
        .toList();
  }

  private static ImagePromptRules.Resolved resolve(
      EvalPrompt prompt, SamplingVariant variant, ModelDirectory directory) {
    ImagePrompt asked = prompt.prompt().toBuilder().sampling(variant.sampling()).build();
    return directory.resolve(asked, "eval", 0);
  }

  private Outcome look(EvalPrompt prompt, ScaleSchedule schedule, EncodedImage image) {
    RgbImage picture = image.pixels();
    Reading reading = reader.read(picture, schedule, prompt.composition().subjects().size());
    Reading.Verdict verdict = reading.against(prompt.composition(), schedule);
    RgbImage described = drawings.draw(prompt.composition(), schedule);
    return new Outcome(
        prompt,
        schedule,
        reading,
        verdict,
        picture,
        PictureQuality.psnr(picture, described),
        PictureQuality.ssim(picture, described),
        image.file());
  }
}
