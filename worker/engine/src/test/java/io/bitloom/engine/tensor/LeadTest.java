package io.bitloom.engine.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The order of marks and waits; that a GPU keeps it is for a machine that has one. */
class LeadTest {
  private final List<String> events = new ArrayList<>();
  private int marks;

  private Lead.Mark mark() {
    int number = ++marks;
    events.add("mark " + number);
    return new Lead.Mark() {
      @Override
      public void await() {
        events.add("await " + number);
      }

      @Override
      public void close() {
        events.add("close " + number);
      }
    };
  }

  @Test
  void theHostWaitsForTheStepBeforeTheOneThatItHasJustQueued() {
    try (Lead lead = new Lead(this::mark)) {
      lead.step();
      lead.step();
      lead.step();
    }
    assertEquals(
        List.of(
            "mark 1", "mark 2", "await 1", "close 1", "mark 3", "await 2", "close 2", "close 3"),
        events);
  }

  @Test
  void devicesThatTakeNothingInAdvanceAreNotWaitedFor() {
    for (TorchDevice device : List.of(TorchDevice.CPU, TorchDevice.META)) {
      try (Lead lead = new Lead(device)) {
        lead.step();
        lead.step();
      }
    }
  }
}
