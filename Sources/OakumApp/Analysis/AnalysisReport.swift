package import LeakDetection
package import OakumModel

/// What `oakum analyze --json` prints. Fields may be added, never renamed.
package struct AnalysisReport: Sendable, Encodable {
    package var series: [Series]

    /// 0 nothing leaks · 2 a leak · 3 no leak found, but some series is too short to tell · 4 no series with a reading.
    package var exitCode: Int32 {
        if series.contains(where: { $0.verdict.code == .leak }) { return 2 }
        if series.allSatisfy({ $0.points == 0 }) { return 4 }
        return series.contains { $0.verdict.code == .notEnoughData } ? 3 : 0
    }

    package struct Series: Sendable, Encodable {
        package var name: String
        package var file: String
        package var column: String
        package var unit: SeriesUnit
        package var points: Int
        /// The axis that the verdict's times are on.
        package var firstSeconds: Double?
        package var lastSeconds: Double?
        package var firstTime: String?
        package var limit: Double?
        package var verdict: Verdict

        init(_ analysis: RecordedAnalysis, file: String) {
            name = analysis.series.name
            self.file = file
            column = analysis.series.column
            unit = analysis.series.unit
            points = analysis.series.points.count
            firstSeconds = analysis.series.points.first?.seconds
            lastSeconds = analysis.series.points.last?.seconds
            firstTime = analysis.series.firstTime
            limit = analysis.limit
            verdict = analysis.verdict
        }

        private enum CodingKeys: String, CodingKey {
            case name, file, column, points, verdict, evidence
            case onset = "onset_seconds"
            case decided = "decided_seconds"
            case slopeBytes = "slope_bytes_per_s"
            case slopePercent = "slope_percent_per_s"
            case timeToLimit = "time_to_limit_s"
            case firstSeconds = "first_seconds"
            case lastSeconds = "last_seconds"
            case firstTime = "first_time"
            case limitBytes = "limit_bytes"
            case limitPercent = "limit_percent"
        }

        package func encode(to encoder: any Encoder) throws {
            var fields = encoder.container(keyedBy: CodingKeys.self)
            try fields.encode(name, forKey: .name)
            try fields.encode(file, forKey: .file)
            try fields.encode(column, forKey: .column)
            try fields.encode(points, forKey: .points)
            try fields.encodeIfPresent(firstSeconds, forKey: .firstSeconds)
            try fields.encodeIfPresent(lastSeconds, forKey: .lastSeconds)
            try fields.encodeIfPresent(firstTime, forKey: .firstTime)
            try fields.encodeIfPresent(limit, forKey: unit == .percent ? .limitPercent : .limitBytes)
            try fields.encode(verdict.code, forKey: .verdict)
            try fields.encode(verdict.onsetSeconds, forKey: .onset)
            try fields.encode(verdict.decidedSeconds, forKey: .decided)
            try fields.encode(verdict.slope, forKey: unit == .percent ? .slopePercent : .slopeBytes)
            try fields.encode(verdict.timeToLimit, forKey: .timeToLimit)
            try fields.encode(verdict.evidence, forKey: .evidence)
        }
    }
}
