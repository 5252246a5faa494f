include { ONE; TWO; THREE; FOUR; FIVE; SIX; SEVEN; EIGHT; NINE; TEN; ELEVEN; TWELVE } from './modules/all'
workflow { ONE(); TWO(); THREE(); FOUR(); FIVE(); SIX(); SEVEN(); EIGHT(); NINE(); TEN(); ELEVEN(); TWELVE() }
