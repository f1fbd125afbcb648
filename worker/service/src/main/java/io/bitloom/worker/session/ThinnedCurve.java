package io.bitloom.worker.session;

import io.bitloom.v1.TrainingPoint;
import java.util.ArrayList;
import java.util.List;

/**
 * A curve of at most 512 points: whenever it is full, every second point goes, and from then on
 * half as many are taken. The last point is always there.
 */
final class ThinnedCurve {
  private static final int MAX_POINTS = 512;

  private final List<TrainingPoint> points = new ArrayList<>();
  private TrainingPoint last;
  private long seen;
  private long every = 1;

  void add(long step, double loss) {
    last = TrainingPoint.newBuilder().setStep(step).setLoss(loss).build();
    if (seen++ % every != 0) {
      return;
    }
    points.add(last);
    if (points.size() == MAX_POINTS) {
      for (int i = MAX_POINTS - 1; i > 0; i -= 2) {
        points.remove(i);
      }
      every *= 2;
    }
  }

  /** Oldest first. */
  List<TrainingPoint> points() {
    List<TrainingPoint> all = new ArrayList<>(points);
    if (last != null && !all.get(all.size() - 1).equals(last)) {
      all.add(last);
    }
    return all;
  }
}
