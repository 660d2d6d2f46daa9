import Foundation  // files, and gzip as a child process
import LeakDetection
import OakumModel

/// The recorded machines: healthy, about eight days each, in percent. Origin: `Corpus/machine-memory/SOURCES.md`.
enum MachineCorpus {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Corpus/machine-memory")

    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []  // empty fails the count
        return files.filter { $0.hasSuffix(".csv.gz") }.map { String($0.dropLast(7)) }.sorted()
    }()

    static func points(_ name: String) throws -> [SeriesPoint] {
        let gzip = Process()
        gzip.executableURL = URL(fileURLWithPath: "/bin/gzip")
        gzip.arguments = ["-dc", folder.appendingPathComponent("\(name).csv.gz").path]
        let pipe = Pipe()
        gzip.standardOutput = pipe
        try gzip.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        gzip.waitUntilExit()
        return text.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: ",")
            guard fields.count == 2, let seconds = Double(fields[0]), let value = Double(fields[1]) else { return nil }
            return SeriesPoint(seconds: seconds, value: value)
        }
    }

    /// A leak of `pointsPerHour` from `onset` on, clipped where memory ends.
    static func inject(_ points: [SeriesPoint], onset: Double, pointsPerHour: Double) -> [SeriesPoint] {
        points.map { point in
            guard point.seconds > onset else { return point }
            var leaking = point
            leaking.value = min(100, point.value + (point.seconds - onset) / 3_600 * pointsPerHour)
            return leaking
        }
    }

    /// When the first leak verdict falls, with the verdict.
    static func firstLeak(
        _ points: [SeriesPoint], settings: DetectionSettings = .machine
    ) -> (seconds: Double, verdict: Verdict)? {
        var detector = LeakDetector(settings: settings, limit: 100)
        for point in points {
            detector.add(point)
            if detector.isLeaking { return (point.seconds, detector.verdict()) }
        }
        return nil
    }

    /// The information floor for a trend in correlated noise, hours: n* = (6σ²·ln G·(1+r)/((1−r)·b²))^(1/3) with
    /// five-minute medians, detrended, and one false alarm in ten years.
    static func leastDelayHours(_ points: [SeriesPoint], pointsPerHour: Double) -> Double {
        var medians: [Double] = []
        var index = 0
        while index < points.count {
            let slot = (points[index].seconds / 300).rounded(.down)
            var values: [Double] = []
            while index < points.count, (points[index].seconds / 300).rounded(.down) == slot {
                values.append(points[index].value)
                index += 1
            }
            medians.append(values.sorted()[values.count / 2])
        }
        let (variance, lagged) = noise(medians)
        let perSlot = pointsPerHour / 12
        let logAlarms = log(10 * 365.25 * 24 * 12)
        return pow(6 * variance * logAlarms * (1 + lagged) / ((1 - lagged) * perSlot * perSlot), 1.0 / 3) / 12
    }

    /// Variance about the trend, and the correlation of neighbours.
    private static func noise(_ values: [Double]) -> (variance: Double, lagged: Double) {
        let mean = values.reduce(0, +) / Double(values.count)
        let middle = Double(values.count - 1) / 2
        var products = 0.0
        var squares = 0.0
        for (index, value) in values.enumerated() {
            let offset = Double(index) - middle
            products += (value - mean) * offset
            squares += offset * offset
        }
        var variance = 0.0
        var covariance = 0.0
        var previous: Double?
        for (index, value) in values.enumerated() {
            let rest = value - mean - products / squares * (Double(index) - middle)
            variance += rest * rest
            if let previous { covariance += rest * previous }
            previous = rest
        }
        return (variance / Double(values.count), covariance / variance)
    }
}
