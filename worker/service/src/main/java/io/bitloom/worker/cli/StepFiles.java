package io.bitloom.worker.cli;

import io.bitloom.engine.DrawnScale;
import io.bitloom.engine.image.PictureStrip;
import io.bitloom.engine.image.RgbImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Writes the picture after every scale, and in the end all of an image side by side. */
final class StepFiles implements Consumer<DrawnScale> {
  private static final int STRIP_HEIGHT = 256;

  private final GeneratedFiles files;
  private final Map<Integer, List<RgbImage>> tiles = new TreeMap<>();

  StepFiles(GeneratedFiles files) {
    this.files = files;
  }

  @Override
  public void accept(DrawnScale batch) {
    for (int i = 0; i < batch.images(); i++) {
      int index = batch.index(i);
      RgbImage picture = batch.picture(i);
      GeneratedFiles.write(files.step(index, batch.scalesDone()), batch.file(i, picture));
      List<RgbImage> shown = tiles.computeIfAbsent(index, first -> new ArrayList<>());
      if (batch.scalesDone() == 1) {
        shown.clear(); // a batch that failed is drawn again
      }
      shown.add(PictureStrip.small(picture, STRIP_HEIGHT));
      if (batch.scalesDone() == batch.scales()) {
        RgbImage strip = PictureStrip.of(tiles.remove(index));
        GeneratedFiles.write(files.strip(index), batch.file(i, strip));
      }
    }
  }
}
