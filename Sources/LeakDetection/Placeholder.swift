package import OakumModel

package struct DetectionSettings: Sendable {
    package static let worker = DetectionSettings()
}

package struct LeakDetector: Sendable {
    package init(settings: DetectionSettings, limit: Double?) {}
    package mutating func add(_ point: SeriesPoint) {}
    package mutating func verdict() -> Verdict { Verdict(code: .notEnoughData) }
}
