import Foundation  // JSON, files
import OakumModel
import ReleaseGate

/// A fresh worker that was recorded under load: JSON lines, one reading a line, in the order of time.
struct RecordedWorker: Sendable {
    struct Line: Codable, Sendable {
        /// From the worker's start.
        var seconds: Double
        var bytesInUse: Double?
        var residentBytes: Double?
        var requests: Double?
        var failed: Double?
        var cpuSeconds: Double?

        enum CodingKeys: String, CodingKey {
            case seconds = "t_s"
            case bytesInUse = "bytes_in_use"
            case residentBytes = "rss_bytes"
            case requests, failed
            case cpuSeconds = "cpu_s"
        }
    }

    var name: String
    var lines: [Line]

    /// - Throws: what is wrong with which line.
    init(name: String, jsonLines: String) throws {
        self.name = name
        let decoder = JSONDecoder()
        lines = try jsonLines.split(separator: "\n").enumerated().map { number, line in
            do {
                return try decoder.decode(Line.self, from: Data(line.utf8))
            } catch {
                throw RecordingProblem(description: "\(name), line \(number + 1): \(error)")
            }
        }
        guard zip(lines, lines.dropFirst()).allSatisfy({ $0.seconds < $1.seconds }) else {
            throw RecordingProblem(description: "\(name): t_s must rise from line to line")
        }
    }

    init(name: String, readings: [GateReading]) {
        self.name = name
        lines = readings.map { reading in
            Line(
                seconds: reading.at.seconds, bytesInUse: reading.bytesInUse.map { Double($0.bytes) },
                residentBytes: reading.residentBytes.map { Double($0.bytes) }, requests: reading.requests,
                failed: reading.failed, cpuSeconds: reading.cpuSeconds)
        }
    }

    /// Every file of a folder that ends in `.jsonl`, by name.
    static func folder(_ path: String) throws -> [RecordedWorker] {
        let names = try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(".jsonl") }.sorted()
        return try names.map { name in
            try RecordedWorker(name: name, jsonLines: String(contentsOfFile: "\(path)/\(name)", encoding: .utf8))
        }
    }

    func jsonLines() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return try lines.map { String(decoding: try encoder.encode($0), as: UTF8.self) + "\n" }.joined()
    }

    /// Of the whole recording; 0 when nothing was served.
    var requestsPerSecond: Double {
        guard let last = lines.last(where: { $0.requests != nil }), last.seconds > 0 else { return 0 }
        return (last.requests ?? 0) / last.seconds
    }

    /// With so many bytes kept by each request that was served.
    func readings(leakBytesPerRequest leak: Double) -> [GateReading] {
        lines.map { line in
            func grown(_ bytes: Double?) -> ByteCount? {
                bytes.map { ByteCount(Int64($0 + leak * (line.requests ?? 0))) }
            }
            return GateReading(
                at: Uptime(seconds: line.seconds), bytesInUse: grown(line.bytesInUse),
                residentBytes: grown(line.residentBytes), requests: line.requests, failed: line.failed,
                cpuSeconds: line.cpuSeconds)
        }
    }
}

struct RecordingProblem: Error, CustomStringConvertible {
    var description: String
}
