/**
 * The engine as a library: a program opens a model, draws, and closes it.
 *
 * <pre>{@code
 * try (Engine engine = Engine.open("demo")) {
 *   ImagePrompt prompt =
 *       ImagePrompt.builder("a large fox in the middle in a snowy landscape")
 *           .aspectRatio("3:2")
 *           .numImages(2)
 *           .seed(7)
 *           .build();
 *   for (EncodedImage image : engine.generate(prompt, Draw::show)) {
 *     Files.write(folder.resolve("fox_" + image.index() + ".png"), image.file());
 *   }
 * }
 * }</pre>
 *
 * <p>The whole program, with {@code Draw.show}, is {@code client/examples/java/Draw.java}. {@link
 * io.bitloom.engine.Engine#generate Engine.generate} waits for the images of one prompt; an engine
 * may be asked from several threads. Who has many prompts resolves them ({@link
 * io.bitloom.engine.modeldir.ModelDirectory#resolve ModelDirectory.resolve}) and submits those of a
 * schedule together ({@link io.bitloom.engine.Engine#submit Engine.submit}), to be drawn in
 * batches: so do the worker's session, {@code bitloom generate} and {@code bitloom eval}.
 *
 * <p>This package is the library's public face. So are, of other packages, the types that its
 * methods take and give: {@link io.bitloom.common.rules.ImagePrompt ImagePrompt}, {@link
 * io.bitloom.common.schedule.ScaleSchedule ScaleSchedule}, {@link
 * io.bitloom.engine.modeldir.ModelDirectory ModelDirectory}, {@link
 * io.bitloom.engine.image.RgbImage RgbImage}, {@link io.bitloom.engine.tensor.TorchDevice
 * TorchDevice}, {@link io.bitloom.engine.tensor.DType DType} and Micrometer's {@code
 * MeterRegistry}.
 */
package io.bitloom.engine;
