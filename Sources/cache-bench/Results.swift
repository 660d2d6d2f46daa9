/// The result file; its names are those that readers of the benchmarks rely on.
struct Results: Codable {
    /// Nanoseconds for one insertion that evicts, by size.
    struct Insertion: Codable {
        var entries: Int
        var ns: Double
    }

    var hit_ratio: [HitRatioBench.Row] = []
    var hit_ns: Double?
    /// Of the same run: below 1.2 is the aim.
    var hit_over_bare_table: Double?
    var hits_per_s: SpeedBench.Threads?
    var insert_evicting_ns: [Insertion]?
    var held_bytes_error_percent: Double?
    var peers: [String: SpeedBench.Peer] = [:]

    /// The same in Markdown.
    var tables: String {
        var lines: [String] = []
        if !hit_ratio.isEmpty {
            lines += ["| trace | size | default | adaptive | LRU |", "|---|---:|---:|---:|---:|"]
            lines += hit_ratio.map { row in
                "| \(row.trace) | \(row.size) | \(row.default) | \(row.adaptive) | \(row.lru) |"
            }
            lines.append("")
        }
        if let hit_ns {
            lines += ["| look-up that hits | ns | M/s, one thread | M/s, two threads |", "|---|---:|---:|---:|"]
            lines.append(row("BoundedCache", SpeedBench.Peer(hit_ns: hit_ns, hits_per_s: hits_per_s)))
            lines += peers.sorted { ($0.value.hit_ns ?? .infinity, $0.key) < ($1.value.hit_ns ?? .infinity, $1.key) }
                .map { row($0.key, $0.value) }
            lines.append("")
        }
        if let hit_over_bare_table { lines.append("A hit costs \(hit_over_bare_table) times one of the bare table.") }
        if let insertions = insert_evicting_ns {
            let texts = insertions.map { "\($0.ns) ns at \($0.entries) entries" }
            lines.append("An insertion that evicts: \(texts.joined(separator: ", ")).")
        }
        if let error = held_bytes_error_percent {
            lines.append("Held bytes against the allocator's count: \(error) %.")
        }
        return lines.joined(separator: "\n")
    }

    private func row(_ name: String, _ peer: SpeedBench.Peer) -> String {
        guard let ns = peer.hit_ns, let threads = peer.hits_per_s else {
            return "| \(name) | \(peer.absent ?? "–") | | |"
        }
        return "| \(name) | \(ns) | \(rounded(threads.one_thread / 1e6)) | \(rounded(threads.two_threads / 1e6)) |"
    }
}
