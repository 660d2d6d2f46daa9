import Foundation
import LeakDetection

/// Analyses recorded files, as `oakum analyze` does.
package struct SeriesAnalysis: Sendable {
    package var files: [String]
    /// In the unit of the series; nil means 100 for percent and none for bytes.
    package var limit: Double?
    /// The column to read; nil takes the best one for memory.
    package var column: String?

    package init(files: [String], limit: Double? = nil, column: String? = nil) {
        self.files = files
        self.limit = limit
        self.column = column
    }

    /// Analyses every file, as many at once as there are cores; the report is in the order of the files.
    ///
    /// The first file that cannot be read ends it: a report with a hole would pass for a complete one.
    ///
    /// - Parameter progress: called with how many files are done, in any order of files.
    @concurrent
    package func run(progress: @Sendable (Int) -> Void) async throws -> AnalysisReport {
        let width = max(1, ProcessInfo.processInfo.activeProcessorCount)
        var found: [Int: AnalysisReport.Series] = [:]
        try await withThrowingTaskGroup(of: (Int, AnalysisReport.Series).self) { group in
            for (place, file) in files.enumerated() {
                if place >= width, let (done, series) = try await group.next() {
                    found[done] = series
                    progress(found.count)
                }
                group.addTask { (place, try analyse(file)) }
            }
            for try await (done, series) in group {
                found[done] = series
                progress(found.count)
            }
        }
        return AnalysisReport(series: found.sorted { $0.key < $1.key }.map(\.value))
    }

    private func analyse(_ file: String) throws(RecordedFileProblem) -> AnalysisReport.Series {
        let bytes = try RecordedFiles.read(file)
        do throws(CSVProblem) {
            let series = try SeriesReader(wanted: column).read(bytes, name: RecordedFiles.seriesName(file))
            return AnalysisReport.Series(RecordedAnalysis(series, limit: limit), file: file)
        } catch {
            throw RecordedFileProblem(path: file, problem: error.description)
        }
    }
}
