package io.bitloom.worker.cli;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.v1.Prompt;
import io.bitloom.worker.generate.BatchObserver;
import io.bitloom.worker.generate.BatchProgress;
import io.bitloom.worker.generate.ImageEncoding;
import io.bitloom.worker.image.PictureStrip;
import io.bitloom.worker.image.RgbImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Writes the picture after every scale, and in the end all of an image side by side. */
final class StepFiles implements BatchObserver {
  private static final int STRIP_HEIGHT = 256;

  private final GeneratedFiles files;
  private final ImageEncoding encoding;
  private final Prompt prompt;
  private final ScaleSchedule schedule;
  private final Map<Integer, List<RgbImage>> tiles = new TreeMap<>();

  /**
   * @param encoding writes the steps as it writes the images
   */
  StepFiles(GeneratedFiles files, ImageEncoding encoding, Prompt prompt, ScaleSchedule schedule) {
    this.files = files;
    this.encoding = encoding;
    this.prompt = prompt;
    this.schedule = schedule;
  }

  @Override
  public void scaleDrawn(BatchProgress batch) {
    for (int i = 0; i < batch.images(); i++) {
      int index = batch.index(i);
      RgbImage picture = batch.picture(i);
      write(files.step(index, batch.scalesDone()), index, picture);
      List<RgbImage> shown = tiles.computeIfAbsent(index, first -> new ArrayList<>());
      if (batch.scalesDone() == 1) {
        shown.clear(); // a batch that failed is drawn again
      }
      shown.add(PictureStrip.small(picture, STRIP_HEIGHT));
      if (batch.scalesDone() == batch.scales()) {
        write(files.strip(index), index, PictureStrip.of(tiles.remove(index)));
      }
    }
  }

  private void write(Path file, int index, RgbImage picture) {
    GeneratedFiles.write(file, encoding.encode(prompt, schedule, index, picture));
  }
}
