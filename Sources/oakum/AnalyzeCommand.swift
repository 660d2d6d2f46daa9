import ArgumentParser
import Foundation
import OakumApp
import OakumModel
import Synchronization

struct AnalyzeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyze",
        abstract: "Judges recorded memory series with the detector that watches live workers.",
        discussion: """
            Examples:
              oakum analyze worker.csv --limit 256MiB
              oakum analyze recordings/ --json > verdicts.json
              oakum analyze machines/ --all

            A folder means every .csv and .csv.gz file directly in it, one series a file. The first column is \
            `seconds` or `time` (RFC 3339); the others carry their unit: rss_bytes, anon_bytes, memory_percent, \
            requests_total. The best memory column is taken, or the one of --column. Missing values are left out, \
            never taken as zero.

            Exit codes: 0 nothing leaks; 2 a leak; 3 no leak found, but a series is too short to tell; 4 no series \
            has a single reading; 5 a file cannot be read; 64 wrong usage.
            """)

    @Argument(help: ArgumentHelp("CSV files (gzip too) and folders of them.", valueName: "path"))
    var paths: [String]
    @Option(help: "The memory limit: 256MiB, 90%, or a number in the unit of the series.") var limit: String?
    @Option(help: "The column to judge, such as anon_bytes.") var column: String?
    @Flag(help: "Print every series, not only those that are not steady.") var all = false
    @Flag(help: "Print the verdicts as JSON.") var json = false

    func validate() throws {
        guard !paths.isEmpty else { throw ValidationError("name at least one file or folder") }
        _ = try parsedLimit()
    }

    func run() async throws {
        let report: AnalysisReport
        do {
            let analysis = SeriesAnalysis(
                files: try RecordedFiles.list(paths), limit: try parsedLimit(), column: column)
            let count = analysis.files.count
            let showsProgress = isatty(STDERR_FILENO) == 1 && count > 1
            report = try await analysis.run { done in
                guard showsProgress else { return }
                FileHandle.standardError.write(Data("\r\(done) of \(count) series\(done == count ? "\n" : "")".utf8))
            }
        } catch let problem as RecordedFileProblem {
            Terminal.complain(problem.description)
            throw ExitCode(5)
        }
        if json { try Terminal.json(report) } else { show(report) }
        guard report.exitCode == 0 else { throw ExitCode(report.exitCode) }
    }

    private func parsedLimit() throws -> Double? {
        guard let limit else { return nil }
        let units: [(String, Double)] = [
            ("KiB", 1_024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("TiB", 1_099_511_627_776), ("%", 1), ("B", 1),
        ]
        let unit = units.first { limit.hasSuffix($0.0) }
        let number = Double(limit.dropLast(unit?.0.count ?? 0))
        guard let number, number.isFinite, number > 0 else {
            throw ValidationError("--limit takes an amount such as 256MiB or 90%, not \"\(limit)\"")
        }
        return number * (unit?.1 ?? 1)
    }

    // MARK: - For people

    private func show(_ report: AnalysisReport) {
        let shown = report.series.filter { all || report.series.count == 1 || $0.verdict.code != .steady }
        if !shown.isEmpty {
            Terminal.table(
                ["SERIES", "VERDICT", "SINCE", "EVIDENCE"],
                shown.map { series in
                    [
                        series.name, words(series.verdict.code), since(series),
                        series.verdict.evidence.first ?? "",
                    ]
                }, indent: "")
            for series in shown where series.verdict.code == .leak {
                Terminal.line("\n\(series.name) leaks:")
                for sentence in series.verdict.evidence { Terminal.line("  - \(sentence)") }
            }
            Terminal.line("")
        }
        let leaks = report.series.count { $0.verdict.code == .leak }
        let unclear = report.series.count { $0.verdict.code == .notEnoughData }
        var summary = "\(report.series.count) series: \(leaks == 0 ? "none leaks" : "\(leaks) leaking")"
        if unclear > 0 { summary += ", \(unclear) too short or too early to tell" }
        Terminal.line(summary)
    }

    private func since(_ series: AnalysisReport.Series) -> String {
        guard let onset = series.verdict.onsetSeconds else { return "–" }
        return "\(Int64(max(-9e15, min(9e15, onset)))) s"
    }

    private func words(_ code: VerdictCode) -> String {
        switch code {
        case .leak: "leak"
        case .cacheFill: "cache fill"
        case .fragmentation: "fragmentation"
        case .load: "load"
        case .warmUp: "warm-up"
        case .step: "step"
        case .steady: "steady"
        case .notEnoughData: "not enough data"
        }
    }
}
