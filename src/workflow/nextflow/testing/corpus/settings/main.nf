include { A; B; C; D; E; F; G; H; I; J; K } from './mods/a'
workflow { A(); B(); C(); D(); E(); F(); G(); H(); I(); J(); K() }
