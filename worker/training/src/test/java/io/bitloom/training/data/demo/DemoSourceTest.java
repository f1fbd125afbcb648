package io.bitloom.training.data.demo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.training.config.ConfigFile;
import io.bitloom.training.config.ConfigFileException;
import io.bitloom.training.data.BatchLoader;
import io.bitloom.training.data.BatchOrder;
import io.bitloom.training.data.DataConfig;
import io.bitloom.training.data.SampleBatch;
import io.bitloom.training.data.SampleSource;
import io.bitloom.training.data.TrainingSample;
import io.bitloom.training.data.TrainingSet;
import io.bitloom.training.run.TrainingData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoSourceTest {
  private static final int COUNT = 21;

  @TempDir private Path folder;

  private static BatchLoader loader(SampleSource source, DataConfig config) {
    return new BatchLoader(source, new BatchOrder(source, config, 5), config, 5, null);
  }

  @Test
  void theBatchesAreThoseOfTheFilesThatAreWritten() throws IOException {
    DemoDataset dataset = DemoDataset.training(3);
    new DemoDatasetWriter(folder).write(dataset, COUNT, done -> {});
    DataConfig config =
        config("path: .\nbatch_tokens: 1100\nshuffle_buffer: 100\nbatches_ahead: 1\nmost_bad: 0\n");
    TrainingSet files = TrainingSet.scan(config, folder, image -> true);
    try (BatchLoader read = loader(files, config);
        BatchLoader drawn = loader(new DemoSource(dataset, COUNT, "demo 3"), config)) {
      for (int i = 0; i < 8; i++) {
        SampleBatch expected = read.next();
        SampleBatch found = drawn.next();
        assertEquals(expected.schedule(), found.schedule());
        assertEquals(expected.samples().size(), found.samples().size());
        for (int j = 0; j < expected.samples().size(); j++) {
          TrainingSample file = expected.samples().get(j);
          TrainingSample picture = found.samples().get(j);
          assertEquals(file.number(), picture.number());
          assertEquals(file.caption(), picture.caption());
          assertArrayEquals(file.picture().rgb(), picture.picture().rgb());
        }
      }
    }
  }

  private DataConfig config(String yaml) throws IOException {
    Path file = Files.writeString(folder.resolve("data.yaml"), yaml);
    return ConfigFile.read(file, List.of(DataConfig.class)).bind(DataConfig.class);
  }

  @Test
  void whatIsForFilesIsRefusedWithDrawnPictures() throws IOException {
    assertEquals(9, TrainingData.captions(config("demo: {seed: 3, count: 9}")).count());
    assertRefused("demo: {seed: 3}\npath: x", "data.yaml:2: path: is not for pictures");
    assertRefused("demo: {seed: 3}\nsize: 0.25M", "data.yaml:2: size: pictures are drawn in 0.06M");
    assertRefused("demo: {count: 0}", "demo.count: expected");
    assertRefused("demo: {things: 9}", "demo.things: is not known");
    assertRefused("shuffle_buffer: 1", "path: is missing");
  }

  private void assertRefused(String yaml, String message) {
    ConfigFileException fault = assertThrows(ConfigFileException.class, () -> config(yaml));
    assertTrue(fault.getMessage().contains(message), fault.getMessage());
  }
}
