import Diagnosis
import LeakDetection
import OakumModel
import OakumTestKit
import Testing

@Suite struct CourseTests {
    @Test(arguments: [Trouble.leak, .cacheLeak], [false, true])
    func `a leak is never taken for something else on the way`(_ trouble: Trouble, fromTheFirstRequest isFresh: Bool) {
        var straight = Tally()
        var delays: [Double] = []
        for seed in Scale.seeds(2) {
            var incident = SimulatedIncident(trouble, generator: SeededGenerator(seed: seed &* 611_953))
            if isFresh { incident.startFresh() }
            incident.run()
            var course = DiagnosisCourse()
            var named: Double?
            var detector = incident.detector
            var points = (incident.recorded[.memory] ?? [])[...]
            for time in stride(from: incident.onset + 10, through: Double(incident.seconds), by: 25) {
                while let point = points.first, point.seconds <= 5_000 + time {
                    detector.add(point)
                    points.removeFirst()
                }
                var observations = incident.observations(until: time, withVerdict: false)
                observations.verdict = detector.verdict()
                course.add(Diagnosis(observations))
                if named == nil, course.current == .memory { named = time - incident.onset }
            }
            straight.add(
                course.leads.allSatisfy { $0.cause == .memory }, "\(course.leads.map(\.cause.rawValue)) (seed \(seed))")
            if let named { delays.append(named / (Double(incident.seconds) - incident.onset)) }
        }
        let from = isFresh ? " from the first request" : ""
        print("straight to memory, \(trouble.rawValue)\(from): no wrong lead in \(straight.words)")
        print(
            "  named in \(delays.count) within the window, after \(quantile(delays, 0.5)) of it, 90 %: "
                + "\(quantile(delays, 0.9))")
        #expect(straight.share >= 0.95)
        // What has not used its share of the headroom at the end of the window is not called a leak yet.
        #expect(Double(delays.count) >= 0.7 * Double(straight.count))
    }

    private func diagnosis(_ cause: CauseCode?, at seconds: Double) -> Diagnosis {
        var diagnosis = Diagnosis(Observations(from: 0, until: seconds))
        if let cause {
            diagnosis.outcome = .cause
            diagnosis.firstCause = cause
        }
        return diagnosis
    }

    @Test func `a lead that is taken back misled`() {
        var course = DiagnosisCourse()
        let causes: [CauseCode?] = [nil, .cpu, .memory, .memory, nil]
        let news = causes.enumerated().map { course.add(diagnosis($0.element, at: 10 * Double($0.offset + 1))) }
        #expect(news == [false, true, true, false, false])
        #expect(course.firstCause == .cpu)
        #expect(course.current == .memory)
        #expect(course.misledBy == [.cpu])
    }

    @Test func `a sharper name takes nothing back`() {
        var course = DiagnosisCourse()
        course.add(diagnosis(.cpu, at: 20))
        course.add(diagnosis(.cpuBoundDeploy, at: 30))
        #expect(course.misledBy.isEmpty)
        #expect(course.firstCause == .cpuBoundDeploy)
    }
}
