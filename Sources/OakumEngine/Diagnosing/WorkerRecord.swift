package import Diagnosis
package import OakumModel

/// What was read of one process over its life, thinned: what a diagnosis of its service is made from. About 30 KiB.
package struct WorkerRecord: Sendable {
    /// Once a second.
    private struct Reading {
        var seconds: Double
        var memory: Double
        var cpuSeconds: Double?
        var threads: Double?
    }

    /// Every few seconds.
    private struct Told {
        var seconds: Double
        var fileDescriptors: Double?
        var measures: ServiceMeasures?
    }

    private var readings = ThinnedSeries<Reading>(capacity: 256)
    private var told = ThinnedSeries<Told>(capacity: 64)

    package init() {}

    package mutating func add(_ sample: Sample) {
        readings.append(
            Reading(
                seconds: sample.at.seconds, memory: Double((sample.anonymous ?? sample.rss).bytes),
                cpuSeconds: sample.cpuSeconds, threads: sample.threads.map(Double.init)))
    }

    package mutating func add(fileDescriptors: Int?, _ measures: ServiceMeasures?, at now: Uptime) {
        told.append(Told(seconds: now.seconds, fileDescriptors: fileDescriptors.map(Double.init), measures: measures))
    }

    /// The first reading's time; nil before there is one.
    package var begin: Double? { readings.readings.first?.seconds }

    /// Everything as series; those without a reading are left out.
    package var signals: [Signal] {
        let read = readings.readings
        var result = [
            Signal(.memory, points: read.map { SeriesPoint(seconds: $0.seconds, value: $0.memory) }),
            .rate(.cpu, counter: Self.points(read, \.seconds, \.cpuSeconds)),
            Signal(.threads, points: Self.points(read, \.seconds, \.threads)),
        ]
        let told = told.readings
        result += [
            Signal(.fileDescriptors, points: Self.points(told, \.seconds, \.fileDescriptors)),
            .rate(.requests, counter: points(\.requests)),
            Signal(.inFlight, points: points(\.inFlight)),
            Signal(.latency, points: Self.ratio(points(\.durationSum), points(\.durationCount))),
            Signal(.errors, points: Self.ratio(points(\.failures), points(\.requests))),
        ]
        for name in Set(told.flatMap { $0.measures?.work.keys.map { $0 } ?? [] }).sorted() {
            result.append(.rate(.work, name: Self.words(name), counter: points { $0.work[name] }))
        }
        return result.filter { !$0.points.isEmpty }
    }

    /// Requests a second over the last half of its readings, at least ten seconds; nil when it does not tell.
    package var requestRate: Double? {
        let points = points(\.requests)
        guard let last = points.last, let first = points.dropLast(points.count / 2).last,
            last.seconds - first.seconds >= 10
        else { return nil }
        return max(0, last.value - first.value) / (last.seconds - first.seconds)
    }

    /// Caches that publish what they hold.
    package var caches: [CacheFill] {
        guard let last = told.readings.last(where: { $0.measures != nil })?.measures else { return [] }
        return last.caches.sorted { $0.key < $1.key }.map { name, cache in
            let evictions = Signal.rate(.work, counter: points { $0.caches[name]?.evictions })
            return CacheFill(
                name: name, points: points { $0.caches[name]?.bytes },
                bound: cache.bound.flatMap { Int64(exactly: $0.rounded()) }.map { ByteCount($0) },
                evictionsPerSecond: evictions.points.last?.value)
        }
    }

    /// What the cache of that name published last.
    func cache(named name: String) -> CacheMeasures? {
        told.readings.last { $0.measures != nil }?.measures?.caches[name]
    }

    /// The bounded cache that holds most, as it was told last.
    var fullestCache: (name: String, bytes: Double, bound: Double)? {
        let last = told.readings.last { $0.measures != nil }?.measures
        return last?.caches.compactMap { name, cache in
            cache.bound.flatMap { $0 >= 1 && $0 < 1e18 ? (name: name, bytes: cache.bytes, bound: $0) : nil }
        }
        .max { ($0.bytes, $1.name) < ($1.bytes, $0.name) }
    }

    private func points(_ value: (ServiceMeasures) -> Double?) -> [SeriesPoint] {
        told.readings.compactMap { told in
            told.measures.flatMap(value).map { SeriesPoint(seconds: told.seconds, value: $0) }
        }
    }

    private static func points<Element>(
        _ elements: [Element], _ seconds: (Element) -> Double, _ value: (Element) -> Double?
    ) -> [SeriesPoint] {
        elements.compactMap { element in value(element).map { SeriesPoint(seconds: seconds(element), value: $0) } }
    }

    /// What one counter grew by for each that another grew by, between readings; none where the other stood still.
    static func ratio(_ parts: [SeriesPoint], _ wholes: [SeriesPoint]) -> [SeriesPoint] {
        let whole = Dictionary(wholes.map { ($0.seconds, $0.value) }) { $1 }
        var result: [SeriesPoint] = []
        var last: (part: Double, whole: Double)?
        for part in parts {
            guard let now = whole[part.seconds] else { continue }
            if let last, now > last.whole, part.value >= last.part {
                result.append(
                    SeriesPoint(seconds: part.seconds, value: (part.value - last.part) / (now - last.whole)))
            }
            last = (part.value, now)
        }
        return result
    }

    /// "profile_cache_scanned_total" → "profile cache scanned": for sentences.
    static func words(_ name: String) -> String {
        let stem = name.hasSuffix("_total") ? String(name.dropLast(6)) : name
        return stem.split(separator: "_").joined(separator: " ")
    }
}
