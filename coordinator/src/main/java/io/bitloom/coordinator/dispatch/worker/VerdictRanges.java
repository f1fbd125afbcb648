package io.bitloom.coordinator.dispatch.worker;

import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.IndexRange;
import io.bitloom.v1.LeaseVerdicts;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a worker of form 2 is to be told of its outcomes: places that follow each other as one. */
final class VerdictRanges {

  private static final class OfLease {
    private final List<IndexRange.Builder> committed = new ArrayList<>();
    private final List<IndexRange.Builder> superseded = new ArrayList<>();
  }

  private final Map<String, OfLease> leases = new LinkedHashMap<>();

  void add(String leaseId, int index, boolean committed) {
    OfLease lease = leases.computeIfAbsent(leaseId, id -> new OfLease());
    List<IndexRange.Builder> ranges = committed ? lease.committed : lease.superseded;
    IndexRange.Builder last = ranges.isEmpty() ? null : ranges.get(ranges.size() - 1);
    if (last != null && last.getFirst() + last.getCount() == index) {
      last.setCount(last.getCount() + 1);
    } else {
      ranges.add(IndexRange.newBuilder().setFirst(index).setCount(1));
    }
  }

  /** One message for each lease; afterwards there is nothing to be told. */
  List<ConnectResponse> take() {
    List<ConnectResponse> messages = new ArrayList<>();
    leases.forEach(
        (id, lease) -> {
          LeaseVerdicts.Builder verdicts = LeaseVerdicts.newBuilder().setLeaseId(id);
          lease.committed.forEach(verdicts::addCommitted);
          lease.superseded.forEach(verdicts::addSuperseded);
          messages.add(ConnectResponse.newBuilder().setLeaseVerdicts(verdicts).build());
        });
    leases.clear();
    return messages;
  }
}
