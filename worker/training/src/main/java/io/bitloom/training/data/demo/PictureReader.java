package io.bitloom.training.data.demo;

import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.image.RgbImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * The checker of prompt following: reads backdrop and things off a picture without any model, by
 * comparing it with reference drawings.
 *
 * <p>The backdrop is the one whose drawing is nearest in the half of the picture where it fits
 * best, so that what stands before it does not count. A thing is the drawing that, laid over the
 * backdrop at some place, takes away most of the remaining difference; a second one is sought over
 * the first, then the first once more under the second. Knows nothing of what was asked for but the
 * number of things. Threads may share one.
 */
public final class PictureReader {
  /** Differences above this are all the same: far off is far off. */
  private static final float CEILING = 0.3f;

  /** A thing that accounts for less of the difference is no thing. */
  private static final double LEAST_EXPLAINED = 0.25;

  /** Differences below this a cell are noise. */
  private static final double NOISE = 0.03;

  private final Drawings drawings = new Drawings();
  private final Map<String, List<View>> backdrops = new ConcurrentHashMap<>();
  private final Map<Integer, List<Template>> templates = new ConcurrentHashMap<>();

  private record View(Backdrop backdrop, Cells cells) {}

  private record Template(Subject subject, Cells cells) {}

  /** A template at a place, and by how much it lowers the picture's difference. */
  private record Fit(Template template, int left, int upper, double gain, double explained) {}

  /** Reads a picture of this schedule that should show one or two things. */
  public Reading read(RgbImage picture, ScaleSchedule schedule, int things) {
    Cells seen = Cells.of(picture);
    View backdrop = nearest(seen, schedule);
    List<Template> candidates = new ArrayList<>();
    for (int side : Layout.sides(things)) {
      candidates.addAll(templates(side));
    }
    List<Fit> fits = new ArrayList<>();
    Fit first = best(seen, backdrop.cells, candidates);
    fits.add(first);
    if (things > 1) {
      Fit second = best(seen, over(backdrop.cells, first), candidates);
      fits.set(0, best(seen, over(backdrop.cells, second), candidates));
      fits.add(second);
    }
    return new Reading(
        backdrop.backdrop,
        fits.stream().filter(fit -> fit.explained >= LEAST_EXPLAINED).map(this::found).toList());
  }

  private Reading.Found found(Fit fit) {
    int side = fit.template.cells.width() * Cells.SIDE;
    return new Reading.Found(
        fit.template.subject,
        fit.left * Cells.SIDE + side / 2.0,
        fit.upper * Cells.SIDE + side / 2.0,
        side,
        fit.explained);
  }

  private static Cells over(Cells cells, Fit fit) {
    float[] covered = cells.under(fit.template.cells, fit.left, fit.upper);
    return new Cells(cells.width(), cells.height(), covered, cells.alpha());
  }

  private View nearest(Cells seen, ScaleSchedule schedule) {
    View nearest = null;
    double least = Double.POSITIVE_INFINITY;
    for (View view : backdrops.computeIfAbsent(schedule.id(), it -> views(schedule))) {
      float[] differences = differences(seen, view.cells);
      Arrays.sort(differences);
      double sum = 0;
      for (int i = 0; i < differences.length / 2; i++) {
        sum += differences[i];
      }
      if (sum < least) {
        least = sum;
        nearest = view;
      }
    }
    return nearest;
  }

  private static List<View> views(ScaleSchedule schedule) {
    return Stream.of(Backdrop.values())
        .map(it -> new View(it, Cells.of(DemoPictures.backdrop(it, schedule))))
        .toList();
  }

  private List<Template> templates(int side) {
    return templates.computeIfAbsent(
        side,
        it ->
            Subject.all()
                .map(subject -> new Template(subject, Cells.of(drawings.of(subject, side))))
                .toList());
  }

  /** The template that fits best over a backdrop: first on a coarse grid, then around the best. */
  private static Fit best(Cells seen, Cells backdrop, List<Template> candidates) {
    float[] before = differences(seen, backdrop);
    Fit best = null;
    for (Template template : candidates) {
      int room = seen.width() - template.cells.width();
      int height = seen.height() - template.cells.height();
      Fit coarse = null;
      for (int upper = 0; upper <= height; upper += 2) {
        for (int left = 0; left <= room; left += 2) {
          coarse = better(coarse, fit(seen, backdrop, before, template, left, upper, 2));
        }
      }
      Fit fine = null;
      for (int upper = Math.max(0, coarse.upper - 1);
          upper <= Math.min(height, coarse.upper + 1);
          upper++) {
        for (int left = Math.max(0, coarse.left - 1);
            left <= Math.min(room, coarse.left + 1);
            left++) {
          fine = better(fine, fit(seen, backdrop, before, template, left, upper, 1));
        }
      }
      best = better(best, fine);
    }
    return best;
  }

  private static Fit better(Fit a, Fit b) {
    return a == null || b.gain > a.gain ? b : a;
  }

  /** How well a template fits at a place, judged by every step-th cell both ways. */
  private static Fit fit(
      Cells seen,
      Cells backdrop,
      float[] before,
      Template template,
      int left,
      int upper,
      int step) {
    Cells drawing = template.cells;
    double gain = 0;
    double difference = 0;
    for (int y = 0; y < drawing.height(); y += step) {
      for (int x = 0; x < drawing.width(); x += step) {
        float opacity = drawing.alpha()[y * drawing.width() + x];
        if (opacity > 0.1f) {
          int cell = (upper + y) * seen.width() + left + x;
          int from = 3 * (y * drawing.width() + x);
          float sum = 0;
          for (int c = 0; c < 3; c++) {
            float under = backdrop.lab()[3 * cell + c];
            float colour = under + opacity * (drawing.lab()[from + c] - under);
            float delta = seen.lab()[3 * cell + c] - colour;
            sum += delta * delta;
          }
          gain += before[cell] - Math.min(CEILING, (float) Math.sqrt(sum));
          difference += Math.max(NOISE, before[cell]);
        }
      }
    }
    return new Fit(template, left, upper, gain, gain / Math.max(NOISE, difference));
  }

  private static float[] differences(Cells a, Cells b) {
    float[] differences = new float[a.width() * a.height()];
    for (int i = 0; i < differences.length; i++) {
      float sum = 0;
      for (int c = 0; c < 3; c++) {
        float delta = a.lab()[3 * i + c] - b.lab()[3 * i + c];
        sum += delta * delta;
      }
      differences[i] = Math.min(CEILING, (float) Math.sqrt(sum));
    }
    return differences;
  }
}
