package io.bitloom.training.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.training.config.ConfigFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingSetTest {
  /** {@code ../shared/cases} from the repository's root, two folders above this module. */
  private static final Path CASES = Path.of("..", "..", "..", "shared", "cases", "captions");

  @TempDir private Path folder;

  private TrainingSet scan() throws IOException {
    return scan("");
  }

  private TrainingSet scan(String more) throws IOException {
    return TrainingSet.scan(config(more), folder, image -> true);
  }

  private DataConfig config(String more) throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("data.yaml"), "path: .\nbatch_tokens: 1100\nshuffle_buffer: 4\n" + more);
    return ConfigFile.read(file, List.of(DataConfig.class)).bind(DataConfig.class);
  }

  private BatchOrder order(TrainingSet set) throws IOException {
    return new BatchOrder(set, config(""), 7);
  }

  @Test
  void picturesAreGroupedByTheScheduleOfTheirShape() throws IOException {
    DrawnPictures.write(folder, 9);
    TrainingSet set = scan();
    assertEquals(
        List.of("0.666_0.06M", "1.0_0.06M"),
        set.schedules().stream().map(ScaleSchedule::id).toList());
    assertEquals(3, set.count(set.schedules().get(0)));
    assertEquals("a red circle on green", set.sample(set.schedules().get(1), 0).text());
  }

  @Test
  void splitFilesNameTheShapeAndNeedNoPicture() throws IOException {
    Files.writeString(
        folder.resolve("1.500_000000002.jsonl"),
        """
        {"image_path": "a.jpg", "h_div_w": 1.5, "long_caption": "A fox. It runs.", "text": "fox"}

        {"image_path": "b.jpg", "long_caption": "A dog.", "text": ""}
        """);
    TrainingSet set = scan();
    assertEquals(List.of("1.5_0.06M"), set.schedules().stream().map(ScaleSchedule::id).toList());
    assertEquals("b.jpg", set.sample(set.schedules().get(0), 1).image().getFileName().toString());
  }

  @Test
  void whatIsBelowAThresholdOrHasNoPictureIsCountedAndNamed() throws IOException {
    DrawnPictures.write(folder, 6);
    Files.writeString(folder.resolve("5.png"), "no picture");
    TrainingSet set = scan("filters: {aesthetic: {min: 2}}");
    assertEquals(3, set.report().kept());
    assertEquals(2, set.report().dropped("aesthetic is below 2.0"));
    assertEquals(1, set.report().dropped("the picture cannot be read"));
    assertTrue(set.report().json().toString().contains("5.png"));
  }

  @Test
  void aLineThatIsNoCaptionIsNamedByFileAndNumber() throws IOException {
    Files.writeString(
        folder.resolve("captions.jsonl"),
        """
        {"image_path": "a.png", "text": "a", "h_div_w": 1}
        {"text": "b"}
        {"image_path": "b.png", "text": "b", "aesthetic": NaN}
        {"image_path": "b\\u0000.png", "text": "b", "h_div_w": 1}
        {"image_path": "b.png", "text": "b", "h_div_w": 1e999}
        """);
    TrainingSet set = scan();
    assertEquals(1, set.report().kept());
    assertEquals(4, set.report().dropped("the line is no caption"));
    String report = set.report().json().toString();
    for (String named :
        List.of(":2: image_path", ":3: malformed", ":4: image_path", ":5: h_div_w")) {
      assertTrue(report.contains("captions.jsonl" + named), report);
    }
  }

  /** A line of the field, where the shared cases are beside the repository. */
  @Test
  void aScoreThatIsNoNumberDropsItsLineOnly() throws IOException {
    assumeTrue(Files.isDirectory(CASES), "the shared cases are not here");
    for (String name : List.of("a.png", "b.png", "nan-score.jsonl")) {
      Files.copy(CASES.resolve(name), folder.resolve(name));
    }
    TrainingSet set = scan();
    assertEquals(1, set.report().kept());
    String report = set.report().json().toString();
    assertTrue(report.contains("nan-score.jsonl:2: malformed"), report);
  }

  @Test
  void anEpochHasEverySampleOnceInBatchesOfEqualTokens() throws IOException {
    DrawnPictures.write(folder, 12);
    TrainingSet set = scan();
    BatchOrder order = order(set);
    Set<String> seen = new HashSet<>();
    for (long i = 0; i < order.batchesPerEpoch(); i++) {
      order.next();
      assertTrue(order.lines().length * order.schedule().tokens() <= 1100);
      for (int line : order.lines()) {
        assertTrue(seen.add(order.schedule().id() + " " + line));
      }
    }
    assertEquals(12, seen.size());
  }

  @Test
  void skippedBatchesAreThoseThatWouldHaveCome() throws IOException {
    DrawnPictures.write(folder, 12);
    TrainingSet set = scan();
    BatchOrder whole = order(set);
    BatchOrder resumed = order(set);
    whole.skip(9);
    for (int i = 0; i < 9; i++) {
      resumed.next();
    }
    whole.next();
    resumed.next();
    assertArrayEquals(whole.lines(), resumed.lines());
  }

  @Test
  void aPictureThatWentBadIsLeftOutOfItsBatch() throws IOException {
    DrawnPictures.write(folder, 2);
    TrainingSet set = scan();
    Files.writeString(folder.resolve("1.png"), "gone bad");
    DataConfig config = config("batches_ahead: 0\nmost_bad: 0.5\n");
    FeatureCache cache = new FeatureCache(folder.resolve("cache"), "m");
    try (BatchLoader loader = new BatchLoader(set, order(set), config, 1, cache)) {
      SampleBatch batch = loader.next();
      assertEquals(1, batch.samples().size());
      assertEquals(256, batch.samples().get(0).picture().width());
      assertEquals(1, set.report().dropped("the picture cannot be read"));
      assertTrue(set.report().json().toString().contains("captions.jsonl:2"));
      Files.writeString(folder.resolve("0.png"), "gone bad, too");
      String message = assertThrows(BadDataException.class, loader::next).getMessage();
      assertTrue(message.startsWith("2 of 2 samples are bad"), message);
    }
  }

  @Test
  void picturesThatAreBeingReadWhenTheLoaderIsClosedAreNotBad() throws IOException {
    DrawnPictures.write(folder, 12);
    TrainingSet set = scan();
    DataConfig config = config("decoder_threads: 2\nbatches_ahead: 6\nmost_bad: 0\n");
    for (int round = 0; round < 50; round++) {
      try (BatchLoader loader = new BatchLoader(set, order(set), config, 1, null)) {
        loader.next();
      }
    }
    assertEquals(0, set.report().dropped(), () -> set.report().json().toString());
  }

  @Test
  void cachedFeaturesComeBackAndDamagedOnesDoNot() throws IOException {
    FeatureCache cache = new FeatureCache(folder, "model");
    String key = cache.key("picture");
    cache.put(key, new float[] {1, 2, 3});
    assertArrayEquals(new float[] {1, 2, 3}, cache.find(key).orElseThrow());
    Path file = folder.resolve(key.substring(0, 2)).resolve(key);
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 1] ^= 1;
    Files.write(file, bytes);
    assertTrue(cache.find(key).isEmpty());
  }
}
