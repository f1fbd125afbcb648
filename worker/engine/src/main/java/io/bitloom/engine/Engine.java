package io.bitloom.engine;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.rules.ImagePromptRules;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.model.GenerationBatch;
import io.bitloom.engine.model.ScaleObserver;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.DeviceThread;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.cpu.CpuKernels;
import io.bitloom.engine.tensor.cpu.CpuThreads;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model that draws: prompts become encoded images in stages, text encoding, transformer and
 * tokenizer decoding on the device's thread, image encoding on CPU threads. While the images of one
 * batch are encoded and sent, the device draws the next. May be used from any thread.
 *
 * <p>A batch that runs out of memory is halved and tried again, and the limit is remembered. A
 * batch that fails for another reason is tried again prompt by prompt, so that a prompt that cannot
 * be drawn fails alone. A batch all of whose prompts were given up ends with the scale that it is
 * at.
 */
public final class Engine implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Engine.class);

  /**
   * Images that may wait for an encoder thread, of a GPU's two largest batches if these are more;
   * beyond that the device thread encodes too.
   */
  private static final int WAITING_IMAGES = 32;

  /** A class label too. */
  private static final String WARM_UP_TEXT = "0";

  private static final CompletableFuture<Void> NO_TEXTS = CompletableFuture.completedFuture(null);

  private static final int RANDOM_SEEDS = 1 << 30;

  private final ModelDirectory directory;
  private final ImageModel model;
  private final DeviceThread device;
  private final boolean ownsDevice;
  private final boolean fixedBatches;
  private final BatchCapacity capacity;
  private final ImageEncoding encoding;
  private final EngineMetrics metrics;
  private final ThreadPoolExecutor encoders;
  private final Optional<PromptRewriter> rewriter;

  private Engine(
      ModelDirectory directory,
      EngineConfig config,
      ImageModel model,
      DeviceThread device,
      boolean ownsDevice,
      Optional<PromptRewriter> rewriter,
      MeterRegistry registry) {
    this.directory = directory;
    this.model = model;
    this.device = device;
    this.ownsDevice = ownsDevice;
    this.fixedBatches = config.fixedBatches();
    this.rewriter = rewriter;
    BatchEstimate estimate =
        BatchEstimate.of(model.transformer(), config.device(), config.dtype(), config.maxBatch());
    this.capacity = new BatchCapacity(estimate);
    this.encoding =
        new ImageEncoding(directory.name(), directory.digest(), config.describeImages());
    this.metrics = new EngineMetrics(registry, model.texts());
    this.encoders =
        new ThreadPoolExecutor(
            config.encoderThreads(),
            config.encoderThreads(),
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(
                config.device().cuda()
                    ? Math.max(WAITING_IMAGES, 2 * estimate.maxImages())
                    : WAITING_IMAGES),
            task -> new Thread(task, "image-encoder"),
            new ThreadPoolExecutor.CallerRunsPolicy());
  }

  /**
   * Loads a model onto the first GPU, or the CPU where there is none, after a look at its files'
   * digests.
   *
   * @param nameOrFolder a built-in model, such as {@link ModelDirectory#DEMO}, or the path of a
   *     model directory
   * @throws io.bitloom.engine.tensor.WeightsException naming file and member or tensor, if the
   *     model cannot be used
   */
  public static Engine open(String nameOrFolder) {
    ModelDirectory directory = ModelDirectory.open(nameOrFolder);
    directory.verifyFiles();
    return open(directory, EngineConfig.of(TorchDevice.parse("auto")));
  }

  /** Loads a model, whose files' digests are not looked at. */
  public static Engine open(ModelDirectory directory, EngineConfig config) {
    return open(directory, config, Optional.empty(), new SimpleMeterRegistry());
  }

  /**
   * Loads a model, whose files' digests are not looked at.
   *
   * @param rewriter rewrites prompts before they are encoded; is closed with the engine
   * @param registry is told how the engine is doing
   * @throws io.bitloom.engine.tensor.WeightsException naming file and tensor, if the model cannot
   *     be used
   */
  public static Engine open(
      ModelDirectory directory,
      EngineConfig config,
      Optional<PromptRewriter> rewriter,
      MeterRegistry registry) {
    DeviceThread device = new DeviceThread(config.device());
    try {
      return open(directory, config, rewriter, registry, device, true);
    } catch (RuntimeException e) {
      device.close();
      throw e;
    }
  }

  /**
   * Loads a model beside others on the same device, whose files' digests are not looked at.
   *
   * @param rewriter rewrites prompts before they are encoded; is closed with the engine
   * @param registry is told how all of these engines are doing
   * @param device the thread that they share; closed by its owner, after them
   * @throws io.bitloom.engine.tensor.WeightsException naming file and tensor, if the model cannot
   *     be used
   */
  public static Engine open(
      ModelDirectory directory,
      EngineConfig config,
      Optional<PromptRewriter> rewriter,
      MeterRegistry registry,
      DeviceThread device) {
    return open(directory, config, rewriter, registry, device, false);
  }

  private static Engine open(
      ModelDirectory directory,
      EngineConfig config,
      Optional<PromptRewriter> rewriter,
      MeterRegistry registry,
      DeviceThread device,
      boolean ownsDevice) {
    if (config.dtype() == DType.BF16 && !config.device().cuda() && !CpuKernels.computesBf16()) {
      log.warn(
          "this CPU has no bfloat16 arithmetic: results are rounded to bfloat16, but computed in"
              + " float32 from float32 weights, which is no faster");
    }
    ImageModel model =
        device.call(
            () -> {
              if (!config.device().cuda()) {
                CpuThreads.use(config.threads());
              }
              return ImageModel.load(directory, config);
            });
    return new Engine(directory, config, model, device, ownsDevice, rewriter, registry);
  }

  /** What is drawn with. */
  public ModelDirectory model() {
    return directory;
  }

  /**
   * Bytes that a model takes in memory: its weights in the type that they are computed in, and a
   * batch of one image in its usual size. An estimate.
   *
   * @throws io.bitloom.engine.tensor.WeightsException if the model cannot be used
   */
  public static long memory(ModelDirectory directory, EngineConfig config) {
    ScaleSchedule usual = ScaleSchedules.nearest(1).schedule(directory.sizes().get(0));
    BatchEstimate estimate =
        new BatchEstimate(
            directory.transformer(),
            config.dtype(),
            true,
            config.device().cuda(),
            Long.MAX_VALUE,
            Long.MAX_VALUE,
            1);
    long image = estimate.bytesPerImage(usual);
    if (config.device().cuda()) {
      DecodeEstimate decoder =
          new DecodeEstimate(directory.tokenizer(), config.dtype(), Long.MAX_VALUE, 1);
      image = Math.max(image, decoder.bytesPerPicture(usual));
    }
    return directory.weightBytes(config.dtype()) + (long) (BatchEstimate.TOLERANCE * image);
  }

  public BatchCapacity capacity() {
    return capacity;
  }

  /**
   * Draws the images of a prompt and waits for them.
   *
   * @param prompt what it leaves out, the model's defaults say; without a seed it gets a random one
   * @return the images in the order of their index
   * @throws BitloomException naming the fields that are wrong, or saying why there are no images
   */
  public List<EncodedImage> generate(ImagePrompt prompt) {
    return generate(prompt, scale -> {});
  }

  /**
   * Draws the images of a prompt and waits for them.
   *
   * @param observer is told of every scale on the device's thread
   * @see #generate(ImagePrompt)
   */
  public List<EncodedImage> generate(ImagePrompt prompt, Consumer<DrawnScale> observer) {
    ImagePromptRules.Resolved resolved = resolved(prompt);
    return submit(resolved.schedule(), List.of(resolved.prompt()), observer)
        .prompts()
        .get(0)
        .images();
  }

  private ImagePromptRules.Resolved resolved(ImagePrompt prompt) {
    requireValid(ImagePromptRules.defaults().check(prompt));
    ImagePromptRules.Resolved resolved = directory.resolve(withSeed(prompt), "generate", 0);
    requireValid(directory.check(resolved));
    return resolved;
  }

  /** The prompt, with a random seed if neither it nor the model has one. */
  private ImagePrompt withSeed(ImagePrompt prompt) {
    return prompt.seed() != null || directory.defaults().seed() != null
        ? prompt
        : prompt.toBuilder().seed(ThreadLocalRandom.current().nextInt(RANDOM_SEEDS)).build();
  }

  private static void requireValid(List<FieldViolation> violations) {
    if (!violations.isEmpty()) {
      throw BitloomException.invalid(violations);
    }
  }

  /**
   * Queues prompts for the device and returns at once.
   *
   * @param prompts with every default filled in, all of this schedule
   * @param observer is told on the device's thread of every scale
   */
  public Submission submit(
      ScaleSchedule schedule, List<ImagePrompt> prompts, Consumer<DrawnScale> observer) {
    List<PromptWork> works = prompts.stream().map(PromptWork::new).toList();
    CompletableFuture<?>[] texts =
        rewriter.stream()
            .flatMap(asked -> works.stream().map(work -> rewrite(asked, work)))
            .toArray(CompletableFuture<?>[]::new);
    return drawAfter(CompletableFuture.allOf(texts), new Submission(schedule, works, observer));
  }

  private Submission drawAfter(CompletableFuture<Void> texts, Submission submission) {
    texts
        .thenCompose(ready -> device.submit(() -> drawAll(submission)))
        .whenComplete(
            (nothing, failure) -> {
              if (failure != null) {
                log.error("drawing a batch of {} failed", submission.schedule(), failure);
                submission.prompts().forEach(work -> fail(work, failure));
              }
              submission.drawn().complete(null);
            });
    return submission;
  }

  private static CompletableFuture<Void> rewrite(PromptRewriter rewriter, PromptWork work) {
    return rewriter.rewrite(work.prompt().text()).thenAccept(work::rewritten);
  }

  /**
   * Draws one image and throws it away, so that memory is reserved, kernels are chosen and what
   * belongs to the schedule is cached before the first real prompt.
   *
   * @throws BitloomException if the image cannot be drawn
   */
  public void warmUp(ScaleSchedule schedule) {
    List<PromptWork> work = List.of(warmUpPrompt(schedule));
    drawAfter(NO_TEXTS, new Submission(schedule, work, scale -> {}));
    work.get(0).images();
  }

  /**
   * Draws what a worker has to have drawn before it takes prompts: {@link #warmUp(ScaleSchedule)}
   * of the schedule that most prompts will have, square in the model's usual size. A GPU, which
   * chooses kernels by shape, also draws batches of every schedule in many sizes.
   *
   * @param most time after which no more of these are begun
   * @throws BitloomException if the first image cannot be drawn
   */
  public void warmUp(Duration most) {
    warmUp(ScaleSchedules.nearest(1).schedule(directory.sizes().get(0)));
    if (device.device().cuda()) {
      List<ScaleSchedule> all =
          directory.sizes().stream().flatMap(size -> ScaleSchedules.of(size).stream()).toList();
      warmUp(WarmUpBatch.plan(all, capacity::maxImages, fixedBatches), most);
    }
  }

  /** Draws as many of these batches as there is time for; one that fails is logged. */
  void warmUp(List<WarmUpBatch> plan, Duration most) {
    long start = System.nanoTime();
    int done = 0;
    while (done < plan.size() && System.nanoTime() - start < most.toNanos()) {
      ScaleSchedule schedule = plan.get(done).schedule();
      List<PromptWork> works =
          Stream.generate(() -> warmUpPrompt(schedule)).limit(plan.get(done).images()).toList();
      drawAfter(NO_TEXTS, Submission.thrownAway(schedule, works)).drawn().join();
      done++;
    }
    log.info(
        "{} of {} batches to warm up were drawn in {} ms{}",
        done,
        plan.size(),
        (System.nanoTime() - start) / 1_000_000,
        done < plan.size() ? ", the others will take longer when they come first" : "");
  }

  /** A prompt that nobody sent, and that no language model rewrites. */
  private static PromptWork warmUpPrompt(ScaleSchedule schedule) {
    return new PromptWork(
        ImagePromptRules.BUILT_IN.toBuilder()
            .customId("warm-up")
            .text(WARM_UP_TEXT)
            .size(schedule.size().label())
            .seed(0)
            .build());
  }

  // On the device's thread

  private Void drawAll(Submission submission) {
    ScaleSchedule schedule = submission.schedule();
    submission.prompts().forEach(this::refuse);
    List<ImageRequest> batch = next(submission);
    while (!batch.isEmpty()) {
      metrics.occupied();
      try {
        draw(submission, batch);
      } catch (RuntimeException | OutOfMemoryError failure) {
        retry(submission, batch, failure);
      } finally {
        metrics.released();
      }
      batch = next(submission);
    }
    return null;
  }

  private List<ImageRequest> next(Submission submission) {
    ScaleSchedule schedule = submission.schedule();
    int most = capacity.maxImages(schedule);
    int scales = schedule.scales().size();
    return fixedBatches
        ? submission.next(
            most,
            image -> ImageModel.sampling(image.work().prompt(), image.index(), scales).course())
        : submission.next(most);
  }

  /** What is drawn of a batch: itself, or with its last image repeated up to the fixed size. */
  private List<ImageRequest> filled(ScaleSchedule schedule, List<ImageRequest> batch) {
    List<ImageRequest> filled = new ArrayList<>(batch);
    while (fixedBatches && filled.size() < capacity.maxImages(schedule)) {
      filled.add(batch.get(batch.size() - 1));
    }
    return filled;
  }

  /** A text that the model has no features for fails its prompt, and not the batch. */
  private void refuse(PromptWork work) {
    model
        .refusal(work)
        .filter(refusal -> work.start()) // not withdrawn
        .ifPresent(refusal -> fail(work, new BitloomException(ErrorCode.PROMPT_REJECTED, refusal)));
  }

  private void draw(Submission submission, List<ImageRequest> batch) {
    ScaleSchedule schedule = submission.schedule();
    List<RgbImage> images;
    List<Long> scales = new ArrayList<>(schedule.scales().size());
    BatchTimeline timeline;
    try (Scope scope = Scope.open()) {
      long start = System.nanoTime();
      GenerationBatch texts = model.encodeTexts(schedule, filled(schedule, batch));
      long encoded = System.nanoTime();
      Tensor summedCodesBdHW = model.generate(texts, observer(submission, batch, scales));
      long generated = System.nanoTime();
      images = model.decode(schedule, summedCodesBdHW, batch.size());
      timeline =
          new BatchTimeline(batch.size(), start, encoded, scales, generated, System.nanoTime());
    }
    capacity.drawn(schedule);
    if (!submission.isThrownAway()) {
      handOver(schedule, batch, images, timeline);
    }
  }

  private ScaleObserver observer(
      Submission submission, List<ImageRequest> batch, List<Long> scales) {
    return (scale, sum) -> {
      if (!isWanted(batch)) {
        throw new CancellationException("every prompt of the batch was given up");
      }
      scales.add(System.nanoTime());
      submission
          .observer()
          .accept(new DrawnScale(model, encoding, submission, batch, scale + 1, sum));
    };
  }

  private static boolean isWanted(List<ImageRequest> batch) {
    return batch.stream().anyMatch(image -> image.work().isWanted());
  }

  private void retry(Submission submission, List<ImageRequest> batch, Throwable failure) {
    ScaleSchedule schedule = submission.schedule();
    int images = filled(schedule, batch).size();
    if (BatchCapacity.isExhaustion(failure) && images > 1) {
      metrics.memoryExhausted();
      capacity.exhausted(schedule, images);
      device.device().releaseCachedMemory();
      submission.putBack(batch);
      return;
    }
    if (!isWanted(batch)) {
      log.info("a batch of {} is not wanted any more and was stopped", schedule);
      return;
    }
    if (batch.stream().map(ImageRequest::work).distinct().count() > 1) {
      log.warn("a batch of {} failed and is tried again prompt by prompt", schedule, failure);
      submission.separate(batch);
      return;
    }
    PromptWork work = batch.get(0).work();
    log.warn("prompt {} failed", work.prompt().customId(), failure);
    fail(work, failure);
  }

  private void handOver(
      ScaleSchedule schedule,
      List<ImageRequest> batch,
      List<RgbImage> images,
      BatchTimeline timeline) {
    metrics.drawn(batch.size(), timeline.durations());
    batch.stream().map(ImageRequest::work).distinct().forEach(work -> work.drawn(timeline));
    for (int i = 0; i < batch.size(); i++) {
      ImageRequest image = batch.get(i);
      RgbImage pixels = images.get(i);
      encoders.execute(() -> encode(schedule, image, pixels));
    }
  }

  // On the encoders' threads

  private void encode(ScaleSchedule schedule, ImageRequest image, RgbImage pixels) {
    PromptWork work = image.work();
    try {
      long start = System.nanoTime();
      EncodedImage encoded = encoding.encode(work, schedule, image.index(), pixels);
      long end = System.nanoTime();
      metrics.encoded(Duration.ofNanos(end - start));
      work.encoded(encoded, start, end);
    } catch (RuntimeException | OutOfMemoryError failure) {
      log.warn("an image of prompt {} was not encoded", work.prompt().customId(), failure);
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
    if (BatchCapacity.isExhaustion(cause)) {
      return new BitloomException(
          ErrorCode.OUT_OF_MEMORY, "one image does not fit into the worker's memory", cause);
    }
    return new BitloomException(
        ErrorCode.INTERNAL, "the worker could not draw this prompt, see its log", cause);
  }

  /** Finishes what was submitted, then frees the model and ends all threads of its own. */
  @Override
  public void close() {
    rewriter.ifPresent(PromptRewriter::close);
    device.call(
        () -> {
          model.close();
          device.device().releaseCachedMemory();
          return null;
        });
    if (ownsDevice) {
      device.close();
    }
    encoders.shutdown();
  }
}
