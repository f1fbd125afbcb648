package io.bitloom.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Pictures and batches on a GPU; needs a build with {@code -Pgpu} and a CUDA device. */
@Timeout(600)
class CudaPicturesTest {
  private static final ScaleSchedule SQUARE = ScaleSchedules.find("1.0_0.06M").orElseThrow();
  private static final int SIZE = 4;

  private final ModelDirectory untrained = ModelDirectory.open(ModelDirectory.UNTRAINED);

  @BeforeAll
  static void needsAGpu() {
    if (!LibTorch.cudaAvailable()) {
      System.out.println("CudaPicturesTest is skipped: libtorch finds no CUDA device here");
    }
    assumeTrue(LibTorch.cudaAvailable(), "no CUDA device");
  }

  private static EngineConfig config(TorchDevice device, DType dtype, boolean fixed) {
    return new EngineConfig(device, dtype, 0, SIZE, 2, 0, fixed, false);
  }

  @Test
  void aGpuDecodesThePicturesOfTheCpu() {
    try (Scope scope = Scope.open();
        InferenceMode inference = new InferenceMode(true)) {
      Tensor codes =
          Tensors.times(torch.randn(SIZE, untrained.tokenizer().codebookDim(), 16, 16).sign(), 0.2);
      List<RgbImage> expected = decoded(codes, TorchDevice.CPU, DType.F32);
      assertTrue(distance(expected, decoded(codes, TorchDevice.cuda(0), DType.F32)) < 0.05);
      assertTrue(distance(expected, decoded(codes, TorchDevice.cuda(0), DType.BF16)) < 3);
    }
  }

  private List<RgbImage> decoded(Tensor codes, TorchDevice device, DType dtype) {
    try (ImageModel model = ImageModel.load(untrained, config(device, dtype, false))) {
      return model.decode(SQUARE, Tensors.to(codes, device, DType.F32), SIZE);
    }
  }

  /** Mean difference of 8-bit values. */
  private static double distance(List<RgbImage> expected, List<RgbImage> computed) {
    assertEquals(expected.size(), computed.size());
    long sum = 0;
    long count = 0;
    for (int i = 0; i < expected.size(); i++) {
      byte[] a = expected.get(i).rgb();
      byte[] b = computed.get(i).rgb();
      for (int j = 0; j < a.length; j++) {
        sum += Math.abs((a[j] & 0xff) - (b[j] & 0xff));
      }
      count += a.length;
    }
    return (double) sum / count;
  }

  @Test
  void withFixedBatchesAnImageIsTheSameAloneAndAtAnyPlaceAmongStrangers() {
    EngineConfig fixed = config(TorchDevice.cuda(0), DType.BF16, true);
    try (Engine engine = Engine.open(untrained, fixed)) {
      engine.warmUp(Duration.ofSeconds(5));
      ImagePrompt fox = prompt("a red fox in fresh snow", 7);
      ImagePrompt storm =
          prompt("a lighthouse in a storm, seen from far away", 8).toBuilder()
              .negativePrompt("people")
              .build();
      byte[] alone = pixels(engine, List.of(fox), 0);
      for (int place = 0; place < SIZE; place++) {
        List<ImagePrompt> company = new ArrayList<>(Collections.nCopies(SIZE - 1, storm));
        company.add(place, fox);
        assertArrayEquals(alone, pixels(engine, company, place), "place " + place);
      }
    }
  }

  private static byte[] pixels(Engine engine, List<ImagePrompt> prompts, int place) {
    Submission submission = engine.submit(SQUARE, prompts, scale -> {});
    return submission.prompts().get(place).images().get(0).pixels().rgb();
  }

  private ImagePrompt prompt(String text, long seed) {
    ImagePrompt prompt = ImagePrompt.builder(text).size("0.06M").seed(seed).build();
    return untrained.resolve(prompt, "job", 0).prompt();
  }
}
