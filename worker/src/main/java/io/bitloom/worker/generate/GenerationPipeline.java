package io.bitloom.worker.generate;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.Prompt;
import io.bitloom.worker.image.RgbImage;
import io.bitloom.worker.modeldir.ModelDirectory;
import io.bitloom.worker.rewrite.PromptRewriter;
import io.bitloom.worker.rewrite.PromptRewriterConfig;
import io.bitloom.worker.tensor.CpuThreads;
import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.DeviceThread;
import io.bitloom.worker.tensor.Tensors;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns prompts into encoded images, in stages: text encoding, transformer and tokenizer decoding
 * on the device thread, image encoding on CPU threads. While the images of one batch are encoded
 * and sent, the device draws the next.
 *
 * <p>A batch that runs out of memory is halved and tried again, and the limit is remembered. A
 * batch that fails for another reason is tried again prompt by prompt, so that a prompt that cannot
 * be drawn fails alone. A batch all of whose prompts were given up ends with the scale that it is
 * at.
 */
public final class GenerationPipeline implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(GenerationPipeline.class);

  /** Images that may wait for an encoder thread; beyond that the device thread encodes too. */
  private static final int WAITING_IMAGES = 32;

  /** A class label too. */
  private static final String WARM_UP_TEXT = "0";

  private final ImageModel model;
  private final DeviceThread device;
  private final BatchCapacity capacity;
  private final ImageEncoding encoding;
  private final PipelineMetrics metrics;
  private final ThreadPoolExecutor encoders;
  private final Optional<PromptRewriter> rewriter;

  private GenerationPipeline(
      ImageModel model,
      DeviceThread device,
      BatchCapacity capacity,
      ImageEncoding encoding,
      int encoderThreads,
      Optional<PromptRewriter> rewriter,
      MeterRegistry registry) {
    this.rewriter = rewriter;
    this.model = model;
    this.device = device;
    this.capacity = capacity;
    this.encoding = encoding;
    this.metrics = new PipelineMetrics(registry, model.texts());
    this.encoders =
        new ThreadPoolExecutor(
            encoderThreads,
            encoderThreads,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(WAITING_IMAGES),
            task -> new Thread(task, "image-encoder"),
            new ThreadPoolExecutor.CallerRunsPolicy());
  }

  /** A pipeline that draws every text as it is given. */
  public static GenerationPipeline load(
      ModelDirectory directory, PipelineConfig config, MeterRegistry registry) {
    return load(directory, config, Optional.empty(), registry);
  }

  /**
   * Loads a model onto its device.
   *
   * @param rewriter rewrites prompts before they are encoded
   * @throws io.bitloom.worker.tensor.WeightsException naming file and tensor, if the model cannot
   *     be used
   */
  public static GenerationPipeline load(
      ModelDirectory directory,
      PipelineConfig config,
      Optional<PromptRewriterConfig> rewriter,
      MeterRegistry registry) {
    if (config.dtype() == DType.BF16 && !config.device().cuda() && !Tensors.cpuComputesBf16()) {
      log.warn(
          "this CPU has no bfloat16 arithmetic: results are rounded to bfloat16, but computed in"
              + " float32 from float32 weights, which is no faster");
    }
    DeviceThread device = new DeviceThread(config.device());
    try {
      ImageModel model =
          device.call(
              () -> {
                if (!config.device().cuda()) {
                  CpuThreads.use(config.threads());
                }
                return ImageModel.load(
                    directory, config.device(), config.dtype(), config.textCacheBytes());
              });
      BatchEstimate estimate =
          BatchEstimate.of(model.transformer(), config.device(), config.dtype(), config.maxBatch());
      return new GenerationPipeline(
          model,
          device,
          new BatchCapacity(estimate),
          new ImageEncoding(directory.name(), directory.digest(), config.describeImages()),
          config.encoderThreads(),
          rewriter.map(settings -> new PromptRewriter(settings, registry)),
          registry);
    } catch (RuntimeException e) {
      device.close();
      throw e;
    }
  }

  public BatchCapacity capacity() {
    return capacity;
  }

  /**
   * Queues prompts for the device and returns at once.
   *
   * @param prompts with every default filled in, all of this schedule
   * @param observer is told on the device thread of every scale
   */
  public BatchWork submit(ScaleSchedule schedule, List<Prompt> prompts, BatchObserver observer) {
    List<PromptWork> works = prompts.stream().map(PromptWork::new).toList();
    CompletableFuture<?>[] texts =
        rewriter.stream()
            .flatMap(asked -> works.stream().map(work -> rewrite(asked, work)))
            .toArray(CompletableFuture<?>[]::new);
    return submit(schedule, works, CompletableFuture.allOf(texts), observer);
  }

  private static CompletableFuture<Void> rewrite(PromptRewriter rewriter, PromptWork work) {
    return rewriter.rewrite(work.prompt().getPrompt()).thenAccept(work::rewritten);
  }

  private BatchWork submit(
      ScaleSchedule schedule,
      List<PromptWork> works,
      CompletableFuture<Void> texts,
      BatchObserver observer) {
    CompletableFuture<Void> drawn =
        texts
            .thenCompose(ready -> device.submit(() -> draw(schedule, works, observer)))
            .handle(
                (nothing, failure) -> {
                  if (failure != null) {
                    log.error("drawing a batch of {} failed", schedule, failure);
                    works.forEach(work -> fail(work, failure));
                  }
                  return null;
                });
    return new BatchWork(schedule, works, drawn);
  }

  /**
   * Draws one image and throws it away, so that memory is reserved, kernels are chosen and what
   * belongs to the schedule is cached before the first real prompt.
   *
   * @throws BitloomException if the image cannot be drawn
   */
  public void warmUp(ScaleSchedule schedule) {
    Prompt prompt =
        PromptRules.BUILT_IN.toBuilder()
            .setCustomId("warm-up")
            .setPrompt(WARM_UP_TEXT)
            .setSize(schedule.size().label())
            .build();
    PromptWork work = new PromptWork(prompt);
    submit(schedule, List.of(work), CompletableFuture.completedFuture(null), BatchObserver.NONE);
    try {
      work.result().join();
    } catch (CompletionException e) {
      throw failure(e.getCause());
    }
  }

  private Void draw(ScaleSchedule schedule, List<PromptWork> prompts, BatchObserver observer) {
    prompts.forEach(this::refuse);
    PendingImages pending = new PendingImages(prompts);
    List<ImageRequest> batch = pending.next(capacity.maxImages(schedule));
    while (!batch.isEmpty()) {
      try {
        ImageModel.Drawn drawn = draw(schedule, prompts, batch, observer);
        capacity.drawn(schedule);
        handOver(schedule, batch, drawn);
      } catch (BatchGivenUpException e) {
        log.info("a batch of {} is not wanted any more and was stopped", schedule);
      } catch (RuntimeException | OutOfMemoryError failure) {
        retry(schedule, pending, batch, failure);
      }
      batch = pending.next(capacity.maxImages(schedule));
    }
    return null;
  }

  /** A text that the model has no features for fails its prompt, and not the batch. */
  private void refuse(PromptWork work) {
    model
        .refusal(work)
        .filter(refusal -> work.start()) // not withdrawn
        .ifPresent(refusal -> fail(work, new BitloomException(ErrorCode.PROMPT_REJECTED, refusal)));
  }

  private ImageModel.Drawn draw(
      ScaleSchedule schedule,
      List<PromptWork> prompts,
      List<ImageRequest> batch,
      BatchObserver observer) {
    return model.draw(
        schedule,
        batch,
        (scale, sum) -> {
          if (batch.stream().noneMatch(image -> image.work().isWanted())) {
            throw new BatchGivenUpException();
          }
          observer.scaleDrawn(new BatchProgress(model, schedule, prompts, batch, scale + 1, sum));
        });
  }

  private void retry(
      ScaleSchedule schedule, PendingImages pending, List<ImageRequest> batch, Throwable failure) {
    if (MemoryExhaustion.causes(failure) && batch.size() > 1) {
      metrics.memoryExhausted();
      capacity.exhausted(schedule, batch.size());
      device.device().releaseCachedMemory();
      pending.putBack(batch);
      return;
    }
    if (batch.stream().map(ImageRequest::work).distinct().count() > 1) {
      log.warn("a batch of {} failed and is tried again prompt by prompt", schedule, failure);
      pending.separate(batch);
      return;
    }
    log.warn("prompt {} failed", batch.get(0).work().prompt().getCustomId(), failure);
    fail(batch.get(0).work(), failure);
  }

  private void handOver(ScaleSchedule schedule, List<ImageRequest> batch, ImageModel.Drawn drawn) {
    metrics.drawn(batch.size(), drawn.durations());
    batch.stream()
        .map(ImageRequest::work)
        .distinct()
        .forEach(work -> work.drawn(batch.size(), drawn.durations()));
    for (int i = 0; i < batch.size(); i++) {
      ImageRequest image = batch.get(i);
      RgbImage pixels = drawn.images().get(i);
      encoders.execute(() -> encode(schedule, image, pixels));
    }
  }

  private void encode(ScaleSchedule schedule, ImageRequest image, RgbImage pixels) {
    PromptWork work = image.work();
    try {
      long start = System.nanoTime();
      GeneratedImage encoded =
          encoding.encode(work.prompt(), work.drawnText(), schedule, image.index(), pixels);
      Duration time = Duration.ofNanos(System.nanoTime() - start);
      metrics.encoded(time);
      work.encoded(encoded, time);
    } catch (RuntimeException | OutOfMemoryError failure) {
      log.warn("an image of prompt {} was not encoded", work.prompt().getCustomId(), failure);
      fail(work, failure);
    }
  }

  private void fail(PromptWork work, Throwable cause) {
    BitloomException failure = failure(cause);
    metrics.failed(failure.code());
    work.failed(failure);
  }

  /** What callers may know of a failure. */
  private static BitloomException failure(Throwable cause) {
    if (cause instanceof BitloomException known) {
      return known;
    }
    if (MemoryExhaustion.causes(cause)) {
      return new BitloomException(
          ErrorCode.OUT_OF_MEMORY, "one image does not fit into the worker's memory", cause);
    }
    return new BitloomException(
        ErrorCode.INTERNAL, "the worker could not draw this prompt, see its log", cause);
  }

  /** Finishes what was submitted, then frees the model and ends all threads. */
  @Override
  public void close() {
    rewriter.ifPresent(PromptRewriter::close);
    device.submit(
        () -> {
          model.close();
          return null;
        });
    device.close();
    encoders.shutdown();
  }
}
