package io.bitloom.worker.eval;

import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.Prompt;
import io.bitloom.worker.generate.BatchObserver;
import io.bitloom.worker.generate.DrawnPrompt;
import io.bitloom.worker.generate.GenerationPipeline;
import io.bitloom.worker.generate.PromptWork;
import io.bitloom.worker.image.PictureQuality;
import io.bitloom.worker.image.RgbImage;
import io.bitloom.worker.modeldir.ModelDirectory;
import io.bitloom.worker.train.data.demo.DemoPictures;
import io.bitloom.worker.train.data.demo.PictureReader;
import io.bitloom.worker.train.data.demo.Reading;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import javax.imageio.ImageIO;

/** Draws prompts with a model and has the checker look at the pictures. */
public final class PromptFollowing {
  private final ModelDirectory directory;
  private final GenerationPipeline pipeline;
  private final PictureReader reader = new PictureReader();
  private final DemoPictures drawings = new DemoPictures();

  /** Measures a loaded model. */
  public PromptFollowing(ModelDirectory directory, GenerationPipeline pipeline) {
    this.directory = directory;
    this.pipeline = pipeline;
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
    Map<String, Prompt> resolved = new LinkedHashMap<>();
    for (EvalPrompt prompt : prompts) {
      PromptRules.Resolved full = resolve(prompt, variant, directory);
      bySchedule.computeIfAbsent(full.schedule(), it -> new ArrayList<>()).add(prompt);
      resolved.put(prompt.id(), full.prompt());
    }
    bySchedule.forEach(
        (schedule, group) -> {
          List<Prompt> full = group.stream().map(prompt -> resolved.get(prompt.id())).toList();
          List<PromptWork> works = pipeline.submit(schedule, full, BatchObserver.NONE).prompts();
          for (int i = 0; i < group.size(); i++) {
            outcomes.accept(look(group.get(i), schedule, drawn(works.get(i))));
          }
        });
  }

  /** What is wrong with drawing prompts in this way with a model; empty if nothing is. */
  public static List<FieldViolation> check(
      List<EvalPrompt> prompts, SamplingVariant variant, ModelDirectory directory) {
    Prompt sampling = Prompt.newBuilder().setSampling(variant.sampling()).build();
    List<FieldViolation> violations = PromptRules.defaults().checkDefaults(sampling);
    if (!violations.isEmpty()) {
      return violations; // nothing can be resolved with them
    }
    int blocks = directory.transformer().depth();
    return prompts.stream()
        .map(prompt -> resolve(prompt, variant, directory))
        .flatMap(
            full -> PromptRules.check(full, directory.name(), sizes(directory), blocks).stream())
        .toList();
  }

  private static PromptRules.Resolved resolve(
      EvalPrompt prompt, SamplingVariant variant, ModelDirectory directory) {
    Prompt asked = prompt.prompt().toBuilder().setSampling(variant.sampling()).build();
    Prompt job = Prompt.getDefaultInstance();
    return PromptRules.resolve(asked, job, directory.defaults(), sizes(directory), "eval", 0);
  }

  private static List<String> sizes(ModelDirectory directory) {
    return directory.sizes().stream().map(SizeClass::label).toList();
  }

  private Outcome look(EvalPrompt prompt, ScaleSchedule schedule, GeneratedImage image) {
    byte[] png = image.getData().toByteArray();
    RgbImage picture = picture(png);
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
        png);
  }

  private static GeneratedImage drawn(PromptWork work) {
    try {
      DrawnPrompt drawn = work.result().join();
      return drawn.images().getImages(0);
    } catch (CompletionException e) {
      throw (RuntimeException) e.getCause(); // a BitloomException
    }
  }

  private static RgbImage picture(byte[] png) {
    try {
      return RgbImage.of(ImageIO.read(new ByteArrayInputStream(png)));
    } catch (IOException e) {
      throw new UncheckedIOException("the engine's PNG cannot be read", e);
    }
  }
}
